/**
 * Maximum characters of one event, line or JSON value: enough for a picture, and far too little to fill n8n's memory.
 */
export const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
export const EVENT_BOUND = `${megabytes(MAX_EVENT_LENGTH)} in one event`;

/** A body that holds more than anything a server would send. */
export class BodyTooLongError extends Error {
	/** @param bound what it has more of, in words */
	constructor(readonly bound: string) {
		super(`more than ${bound}`);
		this.name = 'BodyTooLongError';
	}
}

/** A file that is larger than the caller reads. */
export class FileTooLargeError extends Error {
	constructor(readonly maxBytes: number) {
		super(`more than ${maxBytes} bytes`);
		this.name = 'FileTooLargeError';
	}
}

/** A bound in words. */
export function megabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Concatenates all pieces. @throws {BodyTooLongError} for more than `maxBytes` */
export async function readWhole(
	pieces: AsyncIterable<Uint8Array>,
	maxBytes = Infinity,
): Promise<Buffer> {
	const read: Uint8Array[] = [];
	let size = 0;
	for await (const piece of pieces) {
		size += piece.byteLength;
		if (size > maxBytes) throw new BodyTooLongError(megabytes(maxBytes));
		read.push(piece);
	}
	return Buffer.concat(read);
}

/** A body with more bytes than is read of it. */
export class TooLongError extends Error {
	constructor(readonly maxBytes: number) {
		super(`more than ${megabytes(maxBytes)}`);
		this.name = 'TooLongError';
	}
}
