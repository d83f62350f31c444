/** n8n's nodes that read JSON of a chat model, on a real Ollama in the real n8n: with tools and thinking, as its model has them. */
import { CALLERS, runCaller, VERDICT } from '../e2e/support/judges';
import type { N8nServer } from '../e2e/support/playground';
import { scriptedModel, stopEverything, startN8n, workFolder } from '../e2e/support/playground';
import { createOllamaModel } from '../real-servers/support/ollama';
import { problemOf, startServer, stopServers } from '../real-servers/support/servers';
import { describeWith } from '../support/jest/describe-if';
import * as fs from 'node:fs';

/** What only the prompt of one node contains. */
const MARKS: Readonly<Record<string, string>> = {
	'Text Classifier': 'My bill is wrong.',
	'Information Extractor': 'Ann lives in Rome.',
	'Sentiment Analysis': 'I am happy.',
	Guardrails: 'Hello',
};

describeWith(problemOf('ollama'), "n8n's judges on Ollama", () => {
	let n8n: N8nServer;
	let url: string;
	beforeAll(async () => {
		n8n = await startN8n();
		const replies = CALLERS.flatMap(({ node, text }) => {
			const contains = MARKS[node];
			return contains === undefined ? [] : [{ contains, reply: JSON.stringify(text) }];
		});
		const file = await scriptedModel([...replies, { reply: JSON.stringify(VERDICT) }], {
			contextLength: 8192,
		});
		({ url } = await startServer(
			'ollama',
			[],
			{ OLLAMA_CONTEXT_LENGTH: '8192', OLLAMA_NUM_PARALLEL: '1' },
			workFolder('ollama'),
		));
		await createOllamaModel(url, 'test-model', fs.readFileSync(file));
	});
	afterAll(async () => {
		await stopServers();
		await stopEverything();
	});

	it.each(CALLERS)('$node reads the response', async (caller) => {
		expect(await runCaller(n8n, { url, caller })).toMatchObject(caller.json);
	});
});
