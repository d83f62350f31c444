/** The objects of a knowledge base in the paths of routes: a 404 is about one of them. */
import fc from 'fast-check';
import { getRouteObjects } from '../../../lib/dify/missing-object';

const BASE = '1c7e55fb-1ba2-4e10-81b5-30addcea2276';
const DOCUMENT = '77d935eb-eb96-4549-824c-d2cbbe1b162c';
const CHUNK = 'e125e10d-3261-44b8-b587-d3ca9e9382ce';

test.each([
	[`/datasets/${BASE}`, ['knowledgeBase']],
	[`/datasets/${BASE}/retrieve`, ['knowledgeBase']],
	[`/datasets/${BASE}/documents`, ['knowledgeBase']],
	[`/datasets/${BASE}/document/create-by-text`, ['knowledgeBase']],
	[`/datasets/${BASE}/documents/status/enable`, ['knowledgeBase']],
	[`/datasets/${BASE}/documents/metadata`, ['knowledgeBase']],
	[`/datasets/${BASE}/documents/${DOCUMENT}`, ['knowledgeBase', 'document']],
	[`/datasets/${BASE}/documents/${DOCUMENT}/download`, ['knowledgeBase', 'document']],
	[`/datasets/${BASE}/documents/${DOCUMENT}/segments`, ['knowledgeBase', 'document']],
	[
		`/datasets/${BASE}/documents/${DOCUMENT}/segments/${CHUNK}`,
		['knowledgeBase', 'document', 'chunk'],
	],
	[`/datasets/${BASE}/documents/20261120195330641890/indexing-status`, ['knowledgeBase', 'batch']],
	[`/datasets/${BASE}/documents/${DOCUMENT}/indexing-status`, ['knowledgeBase', 'document']],
	[`/conversations/${BASE}`, []],
	['/datasets', []],
])('%s: %j', (path, kinds) => {
	const objects = getRouteObjects(path);
	expect(objects.map(({ kind }) => kind)).toEqual(kinds);
	for (const { id, path: ofObject } of objects) expect(ofObject.endsWith(`/${id}`)).toBe(true);
});

test('each object is in the one before it, in any path', () => {
	const part = fc.constantFrom('datasets', 'documents', 'segments', 'x', BASE, DOCUMENT, '..', '');
	fc.assert(
		fc.property(fc.array(part), (parts) => {
			const path = `/${parts.join('/')}`;
			const paths = getRouteObjects(path).map((object) => object.path);
			for (const [index, inner] of paths.entries()) {
				expect(path.startsWith(inner)).toBe(true);
				expect(inner.startsWith(paths[index - 1] ?? '')).toBe(true);
			}
		}),
	);
});
