import * as fc from 'fast-check';

import {
	losesEncryption,
	modelNameMapping,
	readFurtherServers,
	withoutDuplicates,
} from '../../../lib/servers/further-servers';

test('values out of expressions are read as text', () => {
	expect(
		readFurtherServers({ server: [{ baseUrl: ' gpu2 ', apiKey: 123456, model: null }] }),
	).toEqual([{ baseUrl: 'gpu2', apiKey: '123456', model: '' }]);
});

test('whatever n8n stores, reading it never fails', () => {
	fc.assert(
		fc.property(fc.anything(), (value) => {
			expect(Array.isArray(readFurtherServers(value))).toBe(true);
			expect(Array.isArray(readFurtherServers({ server: value }))).toBe(true);
		}),
	);
});

describe('names of models on another server', () => {
	test('one name takes the place of every other', () => {
		expect(modelNameMapping('qwen3:8b')!('qwen3-8b')).toBe('qwen3:8b');
		expect(modelNameMapping('')).toBeUndefined();
	});

	test('pairs are for the models that they name', () => {
		const named = modelNameMapping(
			' qwen3-8b = qwen3:8b, bge-m3=bge-m3:567m;\nx = a=b, broken =, = broken ',
		)!;
		expect(['qwen3-8b', 'bge-m3', 'x', 'broken', 'other'].map(named)).toEqual([
			'qwen3:8b',
			'bge-m3:567m',
			'a=b',
			'broken',
			'other',
		]);
	});
});

test('addresses that cannot be used stay, to be named where they are used', () => {
	const servers = ['http://a', 'a/v1', 'http://b:port', 'http://b:port', ''].map((baseUrl) => ({
		baseUrl,
	}));
	expect(withoutDuplicates(servers).map(({ baseUrl }) => baseUrl)).toEqual([
		'http://a',
		'http://b:port',
		'http://b:port',
		'',
	]);
	expect(losesEncryption('https://a', 'http://b:port')).toBe(false);
	expect(losesEncryption('https://a', 'b')).toBe(true);
});
