import { listModels } from '../../../lib/servers/list-models';
import { getOnlyModelWarnings } from '../../../lib/servers/only-model';
import { LLAMA, list, serve } from './json-server';

const ONLY = 'smollm2';

/** The warnings of a llama-server with one model. */
async function warningsFor(requested: string): Promise<string[]> {
	const { server } = await serve(
		{ 'GET /v1/models': list({ id: ONLY, owned_by: 'llamacpp' }) },
		LLAMA,
	);
	await listModels(server);
	return getOnlyModelWarnings(server, { requested, reported: ONLY });
}

test('another model than the requested one is named', async () => {
	expect(await warningsFor('gpt-4o')).toEqual([
		expect.stringMatching(
			/^The server does not have the model "gpt-4o" and used .*"smollm2"\. Select /,
		),
	]);
	expect(await warningsFor(ONLY)).toEqual([]);
});

test('of a requested name of any length, the beginning is shown', async () => {
	expect(await warningsFor('n'.repeat(500_000))).toEqual([
		expect.stringMatching(/^The server does not have the model "n{199}…" and used .*\. Select /),
	]);
});
