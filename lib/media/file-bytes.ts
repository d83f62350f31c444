import type { FileSource } from '../http/multipart';

/** The whole of a file that is small, such as a picture. */
export async function fileBytes(file: FileSource): Promise<Buffer> {
	const pieces: Uint8Array[] = [];
	for await (const piece of file.open()) pieces.push(piece);
	return Buffer.concat(pieces);
}
