/** The maximum for the files of a run is for all of them together: they are in memory. */
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
