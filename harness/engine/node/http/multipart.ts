/** http.file() and the multipart bodies that carry files. */
import { fingerprint } from "../../../determinism/seed.ts";

/** What http.file(data, filename, contentType) gives; field names as k6's. */
export class FileData {
  readonly data: string | ArrayBuffer | ArrayBufferView;
  readonly filename: string;
  readonly content_type: string;

  constructor(data: string | ArrayBuffer | ArrayBufferView, filename: string, contentType: string) {
    this.data = data;
    this.filename = filename;
    this.content_type = contentType;
  }
}

let filesMade = 0;

/** `http.file`: data for a multipart request; k6 names a file after the clock, we count. */
export function file(
  data: string | ArrayBuffer | ArrayBufferView,
  filename?: string,
  contentType?: string,
): FileData {
  filesMade += 1;
  return new FileData(
    data,
    filename ?? `file-${filesMade}`,
    contentType ?? "application/octet-stream",
  );
}

const bytesOf = (data: FileData["data"]): Buffer =>
  typeof data === "string"
    ? Buffer.from(data)
    : data instanceof ArrayBuffer
      ? Buffer.from(data)
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength);

const quoted = (text: string): string =>
  text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(/[\r\n]/g, " ");

/** multipart/form-data of an object (RFC 7578); the boundary follows from the content, so the same body has the same bytes. */
export function multipart(fields: Readonly<Record<string, unknown>>): {
  readonly data: Buffer;
  readonly contentType: string;
} {
  const parts = Object.entries(fields).map(([name, value]) => {
    if (!(value instanceof FileData))
      return {
        head: `Content-Disposition: form-data; name="${quoted(name)}"`,
        content: Buffer.from(String(value)),
      };
    return {
      head: `Content-Disposition: form-data; name="${quoted(name)}"; filename="${quoted(value.filename)}"\r\nContent-Type: ${value.content_type}`,
      content: bytesOf(value.data),
    };
  });
  let boundary = `----stampede${fingerprint(parts.map((part) => part.head).join("\n"))}`;
  while (parts.some((part) => part.content.includes(boundary)))
    boundary = `----stampede${fingerprint(boundary)}`;
  const chunks = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${part.head}\r\n\r\n`),
    part.content,
    Buffer.from("\r\n"),
  ]);
  return {
    data: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}
