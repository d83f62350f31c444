/** The error of a document that Dify could not index. */
import { createDifyClient } from '../../../../lib/dify/credentials';
import { waitForIndexing } from '../../../../lib/dify/knowledge/indexing';
import { ServerError } from '../../../../lib/errors/server-error';
import { getError } from '../../../support/jest/get-error';
import { sendJson, useServers } from '../../../support/servers/scripted-server';

const start = useServers();
const ID = '11111111-2222-4333-8444-555555555555';
const KEY = `dataset-${'k'.repeat(24)}`;

async function failIndexing(record: object, batch?: string): Promise<ServerError> {
	const { url } = await start((_request, response) =>
		sendJson(response, {
			...{ id: ID, indexing_status: 'error', ...record },
			...(batch !== undefined && { data: [{ id: ID, indexing_status: 'error', ...record }] }),
		}),
	);
	const client = createDifyClient({ baseUrl: `${url}/v1`, apiKey: KEY, keyType: 'knowledge' });
	const job = { datasetId: ID, documentId: ID, batch };
	return await getError(waitForIndexing(client, job, 0), ServerError);
}

const INNER = 'model "bge-m3" not found, try pulling it first';
const BLOB = JSON.stringify({
	args: {
		description: `[models] Error: API request failed with status code 404: ${JSON.stringify({ error: INNER })}`,
	},
	error_type: 'InvokeError',
});

test.each([
	[`req_id: 5f02b7f4a3 PluginInvokeError: ${BLOB}`],
	[
		`PluginInvokeError: ${BLOB.replace(/\}$/, ',"message":"[models] Error: API request failed with status code 404"}')}`,
	],
	[`[openai_api_compatible] Error: PluginInvokeError: ${BLOB}`],
	[`[models] Bad Request Error, Error code: 404 - {'error': {'message': '${INNER}', 'type': 'x'}}`],
])('is the innermost message of the model: %s', async (error) => {
	for (const batch of [undefined, 'b']) {
		const failure = await failIndexing({ error }, batch);
		expect(failure).toMatchObject({
			type: 'indexingFailed',
			message: expect.stringMatching(/bge-m3" not found, try pulling it first$/) as string,
			suggestion: expect.stringContaining('send the document again') as string,
		});
		expect(failure.message).not.toMatch(/PluginInvokeError|[{}]/);
	}
});

test('contains no key, and is a title of one line', async () => {
	const failure = await failIndexing({ error: `Bad key ${KEY}\nof ${'x'.repeat(400)}` });
	expect(failure.message).not.toContain(KEY);
	expect(failure.serverText).not.toContain(KEY);
	expect(failure.message).not.toContain('\n');
	expect(failure.message.length).toBeLessThanOrEqual(161);
});

test('has a title without a reason from Dify', async () => {
	expect(await failIndexing({ error: null })).toMatchObject({
		message: 'Dify could not index the document',
	});
});

test.each([
	{ title: 'split', segments: 9, model: 'bge-m3', isNamed: true },
	{ title: 'not split', segments: 0, model: 'bge-m3', isNamed: false },
	{ title: 'split, without a model', segments: 9, model: null, isNamed: false },
])('names the embedding model of a document that was $title', async (row) => {
	const failure = await failIndexing({
		error: 'Connection refused',
		total_segments: row.segments,
		embedding_model: row.model,
		embedding_model_provider: 'langgenius/ollama/ollama',
	});
	const named = 'check the embedding model "bge-m3" of the provider langgenius/ollama/ollama';
	expect(failure.suggestion.includes(named)).toBe(row.isNamed);
	expect(failure.suggestion).toMatch(/send the document again under the same name/);
});
