import type { IExecuteFunctions } from 'n8n-workflow';

import { itemCredentials } from '../../../../nodes/shared/run/item-credentials';

const DETAILS = { id: '1', name: 'My server' };

function contextWith({
	raw,
	items = 3,
	inside = true,
}: {
	raw?: unknown;
	items?: number;
	inside?: boolean;
}) {
	const getDecrypted = jest.fn<Promise<unknown>, unknown[]>(async () => await Promise.resolve(raw));
	const getCredentials = jest.fn(
		async (_type: string, itemIndex: number) => await Promise.resolve({ of: itemIndex }),
	);
	const context = {
		getInputData: () => Array.from({ length: items }, () => ({ json: {} })),
		getNode: () => ({ credentials: { localLlamaApi: DETAILS } }),
		getMode: () => 'manual',
		getCredentials,
		...(inside ? { additionalData: { credentialsHelper: { getDecrypted } } } : {}),
	};
	const credentialOf = itemCredentials(context as unknown as IExecuteFunctions, 'localLlamaApi');
	return { credentialOf, getDecrypted, getCredentials };
}

test('a credential without expressions is read once, whoever asks at the same time', async () => {
	const { credentialOf, getDecrypted, getCredentials } = contextWith({
		raw: { baseUrl: 'http://a', apiKey: 'b=c' },
	});
	const read = await Promise.all([0, 1, 2].map(credentialOf));
	expect(read).toEqual([{ of: 0 }, { of: 0 }, { of: 0 }]);
	expect(getCredentials).toHaveBeenCalledTimes(1);
	expect(getDecrypted).toHaveBeenCalledTimes(1);
	expect(getDecrypted.mock.calls[0]!.slice(1)).toEqual([
		DETAILS,
		'localLlamaApi',
		'manual',
		undefined,
		true,
	]);
});

test.each([
	['an expression in a value', { raw: { baseUrl: 'http://a', apiKey: '={{ $json.key }}' } }],
	['one deep inside', { raw: { furtherServers: { server: [{ apiKey: '={{ $json.key }}' }] } } }],
	['an n8n that is built differently', { inside: false }],
	['an n8n that gives nothing', { raw: undefined }],
])('%s: each item has its own', async (_name, setup) => {
	const { credentialOf } = contextWith(setup);
	expect(await Promise.all([0, 1, 2].map(credentialOf))).toEqual([{ of: 0 }, { of: 1 }, { of: 2 }]);
});

test('of a single item nothing more is asked', async () => {
	const { credentialOf, getDecrypted } = contextWith({ raw: {}, items: 1 });
	expect(await credentialOf(0)).toEqual({ of: 0 });
	expect(getDecrypted).not.toHaveBeenCalled();
});
