/**
 * Characters of one event, line or JSON value: far above a picture inside an answer, far below what fills n8n's memory.
 */
export const MAX_EVENT_LENGTH = 16 * 1024 * 1024;

/** A body went on for longer than anything that a server of this kind sends. */
export class BodyTooLongError extends Error {
	constructor() {
		super(`more than ${MAX_EVENT_LENGTH} characters without the end of an event`);
		this.name = 'BodyTooLongError';
	}
}

/** All pieces as one. @throws {BodyTooLongError} */
export async function readWhole(pieces: AsyncIterable<Uint8Array>, maxBytes = Infinity): Promise<Buffer> {
	const read: Uint8Array[] = [];
	let size = 0;
	for await (const piece of pieces) {
		size += piece.byteLength;
		if (size > maxBytes) throw new BodyTooLongError();
		read.push(piece);
	}
	return Buffer.concat(read);
}
