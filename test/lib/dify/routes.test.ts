import * as fc from 'fast-check';

import { requestOf, routeTable } from '../../../lib/dify/routes';
import { annotationRoutes, appRoutes } from '../../../lib/dify/app/routes';
import {
	baseRoutes,
	chunkRoutes,
	documentRoutes,
	metadataRoutes,
	pipelineRoutes,
} from '../../../lib/dify/knowledge/routes';

const tables = {
	annotationRoutes,
	appRoutes,
	baseRoutes,
	chunkRoutes,
	documentRoutes,
	metadataRoutes,
	pipelineRoutes,
};

describe('routes of Dify', () => {
	test('values go where the row says: path, query, body', () => {
		const values = { type: 'string', name: 'n' };
		expect(requestOf(metadataRoutes.create, { dataset_id: 'b', ...values })).toEqual({
			path: '/datasets/b/metadata',
			query: {},
			body: values,
			baseId: 'b',
		});
		expect(requestOf(baseRoutes.list, { keyword: 'k' })).toEqual({
			path: '/datasets',
			query: { include_all: 'true', keyword: 'k' },
		});
		expect(requestOf(documentRoutes.delete, { dataset_id: 'b', document_id: 'd' })).toEqual({
			path: '/datasets/b/documents/d',
			query: {},
			baseId: 'b',
		});
	});

	test('a value never changes the rest of a path', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), (batch) => {
				const { path } = requestOf(documentRoutes.progress, { dataset_id: 'b', batch });
				const parts = path.split('/');
				expect(parts).toHaveLength(6);
				expect(decodeURIComponent(parts[4]!)).toBe(batch);
			}),
		);
	});

	test('undefined values are left out, null is sent', () => {
		expect(requestOf(baseRoutes.create, { name: 'n', description: undefined }).body).toEqual({
			name: 'n',
		});
	});

	test('no request is described twice', () => {
		const requests = Object.values(tables)
			.flatMap((table) => Object.values(table))
			.map(({ method, path }: { method: string; path: string }) => `${method} ${path}`);
		expect(requests.filter((request, at) => requests.indexOf(request) !== at)).toEqual([]);
	});

	test('a wrong row is a type error', () => {
		// @ts-expect-error The path names a value that there is not.
		routeTable({ get: { method: 'GET', path: '/datasets/{datset_id}', returns: 'record' } });
		const path = '/datasets';
		// @ts-expect-error The body names a value that there is not.
		routeTable({ create: { method: 'POST', path, body: ['nmae'], returns: 'record' } });
		// @ts-expect-error There is no such result.
		routeTable({ list: { method: 'GET', path, returns: 'page' } });
		// @ts-expect-error A value is missing.
		expect(requestOf(documentRoutes.delete, { dataset_id: 'b' }).baseId).toBe('b');
		// @ts-expect-error A value has another type.
		expect(requestOf(baseRoutes.get, { dataset_id: 1 }).path).toBe('/datasets/1');
	});
});
