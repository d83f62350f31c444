/** Any lines of a download: what was there before it began, and what it has loaded, each layer counted once. */
import fc from 'fast-check';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { runModelAction } from '../../../../lib/servers/model-actions';
import { examples } from '../../../support/jest/properties';
import { json, useServers } from '../../../support/servers/scripted-server';
import { list } from '../json-server';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

const start = useServers();

const line = fc.record({
	digest: fc.constantFrom('sha256:a', 'sha256:b', undefined),
	total: fc.constantFrom(100, 100, undefined),
	completed: fc.constantFrom(40, 100, undefined),
});

/** Lines that say nothing about a layer. */
const other = fc.constantFrom('', '7', 'null', '[]', '"pulling"', '{}', '{"status":"verifying"}');

test('any lines', async () => {
	const cases = fc.record({
		lines: fc.array(line, { maxLength: 8 }),
		others: fc.array(other, { maxLength: 3 }),
	});
	await fc.assert(
		fc.asyncProperty(cases, async ({ lines, others }) => {
			const server = await start({
				'GET /v1/models': json(list({ id: 'other', owned_by: 'library' })),
				'POST /api/pull': (_request, response) => {
					response.writeHead(200, { 'content-type': 'application/x-ndjson' });
					const all = [
						{ status: 'pulling manifest' },
						...lines.map((one) => ({ status: `pulling ${one.digest}`, ...one })),
						{ status: 'success' },
					];
					const texts = all.map((one) => JSON.stringify(one));
					texts.splice(1, 0, ...others);
					response.end(texts.map((text) => `${text}\n`).join(''));
				},
			});
			// The first line of a layer says whether it was there; later ones say that it is loaded now.
			const named = lines.filter(
				({ digest, total }) => digest !== undefined && total !== undefined,
			);
			const first = named.filter(
				({ digest }, at) => named.findIndex((one) => one.digest === digest) === at,
			);
			const loaded = first.filter(({ completed = 0 }) => completed < 100);
			const options = { model: 'm', wait: true, timeoutMs: 60_000 };
			const target = createModelServer({ baseUrl: server.url }, NO_EXECUTION);
			expect(await runModelAction(target, 'pull', options)).toMatchObject({
				size: 100 * first.length,
				downloaded: 100 * loaded.length,
				changed: loaded.length > 0,
			});
		}),
		examples(60),
	);
});
