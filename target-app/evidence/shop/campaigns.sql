-- Terms of each campaign.
SELECT id, kind, cap, amount, per_user::bigint AS per_user, budget, (extract(epoch FROM valid_from) * 1000000)::bigint AS valid_from_us, (extract(epoch FROM valid_to) * 1000000)::bigint AS valid_to_us
FROM campaigns
