import { eachChunk } from '../chunk';

/** The end marker, also in the forms of home-made servers: quoted, in lower case, without brackets. */
const DONE = /^"?(?:\[done\]|DONE)"?$/i;

export const endMarkers = () =>
	eachChunk((chunk) => (DONE.test(chunk.origin?.data ?? '') ? { done: true } : chunk));
