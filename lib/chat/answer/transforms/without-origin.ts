import { eachChunk } from '../chunk';

/** Behind this, a chunk says everything itself. */
export const withoutOrigin = () =>
	eachChunk((chunk) => {
		if (chunk.origin === undefined) return chunk;
		const rest = { ...chunk };
		delete rest.origin;
		return rest;
	});
