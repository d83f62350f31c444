/**
 * Which object a 404 is about. A route of a knowledge base names up to three objects, each in the one before it, and Dify's message is
 * the same if the outer one is the wrong one: so the outer ones are looked up.
 */
import type { MissingObject } from '../errors/facts';

/** An object in the path of a route. */
export interface RouteObject {
	/** `batch`: documents that were written together. It is in no error: a later write has another one. */
	kind: MissingObject['kind'] | 'batch';
	id: string;
	/** Route of the object itself. */
	path: string;
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

const OBJECTS = new RegExp(
	String.raw`/(datasets|documents|segments)/(?:(${UUID})(?=/|$)|([^/]+)(?=/indexing-status$))`,
	'gi',
);

const KINDS: ReadonlyMap<string, MissingObject['kind']> = new Map([
	['datasets', 'knowledgeBase'],
	['documents', 'document'],
	['segments', 'chunk'],
]);

/**
 * The objects of a knowledge base that a path names, from the outer to the inner one.
 *
 * @param path - Without the root of the API and without a query.
 */
export function getRouteObjects(path: string): RouteObject[] {
	return [...path.matchAll(OBJECTS)].map(
		({ 0: text, 1: collection = '', 2: id, 3: batch, index }) => ({
			kind: batch === undefined ? KINDS.get(collection.toLowerCase())! : 'batch',
			id: id ?? batch!,
			path: path.slice(0, index + text.length),
		}),
	);
}
