import { eachChunk } from '../chunk';

/** Behind this, a chunk says everything itself. */
export const withoutOrigin = () =>
	eachChunk((chunk) => (chunk.origin === undefined ? chunk : { ...chunk, origin: undefined }));
