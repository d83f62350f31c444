/** Files of a run: the maximum is for all of them together, since they are in memory, and their bytes say what they are. */
import { storeResultFiles } from '../../../../nodes/shared/dify/run-output';
import { createDifyClient } from '../../../../lib/dify/credentials';
import { useServers } from '../../../support/servers/scripted-server';

jest.mock('../../../../lib/dify/download-file', () => ({
	...jest.requireActual<object>('../../../../lib/dify/download-file'),
	MAX_FILES_BYTES: 10,
}));

const start = useServers();

test.each([
	{ sizes: [10], stored: 1 },
	{ sizes: [5, 5], stored: 2 },
	{ sizes: [5, 6], stored: 1 },
	{ sizes: [6, 6, 4], stored: 2 },
	{ sizes: [11, 10], stored: 1 },
])('of files with $sizes bytes, $stored fit into ten', async ({ sizes, stored }) => {
	const routes = sizes.map((size, at) => [
		`GET /files/${at}`,
		(_request: unknown, response: { end(text: string): void }) => response.end('x'.repeat(size)),
	]);
	const { url } = await start(Object.fromEntries(routes) as never);
	const call = {
		client: createDifyClient({ baseUrl: `${url}/v1` }),
		context: {
			helpers: { prepareBinaryData: async (data: Buffer) => await Promise.resolve({ data }) },
		},
	};
	const files = sizes.map((_size, at) => ({ url: `/files/${at}`, filename: `${at}` }));
	const result = { workflow: undefined, files };
	const { binary = {}, warnings } = await storeResultFiles(call as never, result, []);
	expect({ stored: Object.keys(binary).length, warnings: warnings.length }).toEqual({
		stored,
		warnings: sizes.length - stored,
	});
});

test.each([
	{ declared: 'image/png', bytes: '<svg/>', mimeType: 'image/svg+xml' },
	{ declared: 'image/png', bytes: '%PDF-1.7', mimeType: 'application/pdf' },
	{ declared: 'image/png', bytes: '<html>', mimeType: 'text/plain' },
	{ declared: 'audio/mpeg', bytes: 'OggS', mimeType: 'audio/ogg' },
	{ declared: 'application/octet-stream', bytes: 'GIF89a', mimeType: 'image/gif' },
	{ declared: 'text/csv', bytes: 'a;b', mimeType: 'text/csv' },
	{ declared: 'audio/mpeg', bytes: '\0\0', mimeType: 'audio/mpeg' },
	{ declared: undefined, bytes: 'GIF89a', mimeType: undefined },
])('a file of type $declared with the bytes $bytes is $mimeType', async (file) => {
	const { declared, bytes, mimeType } = file;
	const { url } = await start({ 'GET /files/a': (_request, response) => response.end(bytes) });
	const prepareBinaryData = jest.fn(async () => await Promise.resolve({}));
	const call = {
		client: createDifyClient({ baseUrl: `${url}/v1` }),
		context: { helpers: { prepareBinaryData } },
	};
	const files = [{ url: '/files/a', filename: 'a', mime_type: declared }];
	await storeResultFiles(call as never, { workflow: undefined, files }, []);
	expect(prepareBinaryData.mock.calls).toEqual([[Buffer.from(bytes), 'a', mimeType]]);
});
