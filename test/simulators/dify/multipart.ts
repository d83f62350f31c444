import type * as http from 'node:http';
import type { Upload, UploadPart } from './types';

const LINE = Buffer.from('\r\n');
const BLANK_LINE = Buffer.from('\r\n\r\n');

interface OpenPart {
	headers: string;
	size: number;
	kept: Buffer[];
	keptBytes: number;
}

/** Parses a multipart body as it arrives. It only counts the bytes that it does not keep, so uploads of any size need little memory. */
export class MultipartReader {
	private buffer = LINE;
	private state: 'preamble' | 'boundary' | 'headers' | 'body' | 'end' = 'preamble';
	private part: OpenPart | undefined;
	private readonly delimiter: Buffer;
	readonly upload: Upload = { fields: {}, parts: [] };

	constructor(
		boundary: string,
		private readonly keepBytes: number,
	) {
		this.delimiter = Buffer.from(`\r\n--${boundary}`);
	}

	push(chunk: Buffer): void {
		this.buffer = Buffer.concat([this.buffer, chunk]);
		while (this.advance()) {
			// Each step consumes what it can; returns false when it needs more bytes.
		}
	}

	private advance(): boolean {
		if (this.state === 'preamble') return this.skipTo(this.delimiter, 'boundary');
		if (this.state === 'boundary') {
			if (this.buffer.length < 2) return false;
			const closing = this.buffer.subarray(0, 2).toString('latin1') === '--';
			// Without headers, this line break is also the beginning of the blank line that ends them.
			this.state = closing ? 'end' : 'headers';
			return !closing;
		}
		if (this.state === 'headers') {
			const at = this.buffer.indexOf(BLANK_LINE);
			if (at < 0) return false;
			const headers = this.buffer.subarray(0, at).toString('utf8');
			this.part = { headers, size: 0, kept: [], keptBytes: 0 };
			this.buffer = this.buffer.subarray(at + BLANK_LINE.length);
			this.state = 'body';
			return true;
		}
		return this.state === 'body' && this.readBody();
	}

	private skipTo(mark: Buffer, next: 'boundary'): boolean {
		const at = this.buffer.indexOf(mark);
		if (at < 0) return false;
		this.buffer = this.buffer.subarray(at + mark.length);
		this.state = next;
		return true;
	}

	private readBody(): boolean {
		const at = this.buffer.indexOf(this.delimiter);
		const end = at < 0 ? Math.max(0, this.buffer.length - this.delimiter.length + 1) : at;
		this.take(this.buffer.subarray(0, end));
		this.buffer = this.buffer.subarray(end);
		if (at < 0) return false;
		this.buffer = this.buffer.subarray(this.delimiter.length);
		this.closePart();
		this.state = 'boundary';
		return true;
	}

	private take(bytes: Buffer): void {
		const { part } = this;
		if (part === undefined || bytes.length === 0) return;
		part.size += bytes.length;
		const room = this.keepBytes - part.keptBytes;
		if (room <= 0) return;
		const content = Buffer.from(bytes.subarray(0, room));
		part.kept.push(content);
		part.keptBytes += content.length;
	}

	private closePart(): void {
		const { part } = this;
		if (part === undefined) return;
		this.part = undefined;
		const name = parameter(part.headers, 'name') ?? '';
		const filename = parameter(part.headers, 'filename');
		const mimeType = /^content-type:\s*([^\r\n;]+)/im.exec(part.headers)?.[1]?.trim();
		const content = Buffer.concat(part.kept);
		if (filename === undefined && mimeType === undefined && name !== 'file') {
			this.upload.fields[name] = content.toString('utf8');
			return;
		}
		const file: UploadPart = {
			name,
			filename,
			mimeType,
			size: part.size,
			content,
		};
		this.upload.parts.push(file);
	}
}

function parameter(headers: string, name: string): string | undefined {
	const disposition = /^content-disposition:([^\r\n]*)/im.exec(headers)?.[1] ?? '';
	const encoded = new RegExp(`;\\s*${name}\\*=UTF-8''([^;]+)`, 'i').exec(disposition)?.[1];
	if (encoded !== undefined) return decodeURIComponent(encoded);
	// Browsers and undici encode a quote in a name as %22.
	return new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(disposition)?.[1]?.replace(/%22/g, '"');
}

/** @returns undefined if the body is not a multipart form */
export async function readUpload(
	req: http.IncomingMessage,
	keepBytes: number,
): Promise<Upload | undefined> {
	const type = req.headers['content-type'] ?? '';
	const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(type)?.[1];
	const reader = boundary === undefined ? undefined : new MultipartReader(boundary, keepBytes);
	for await (const chunk of req) reader?.push(chunk as Buffer);
	return reader?.upload;
}
