/** n8n's nodes that read JSON of a chat model, on a real Ollama in the real n8n: with a model that has tools, and one without. */
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

const MODELS = ['test-model', 'without-tools'];

/** Ollama finds out by the names in the chat template whether a model has tools. */
function withoutTools(bytes: Buffer): Buffer {
	return Buffer.from(bytes.toString('latin1').replaceAll('tool', 'zool'), 'latin1');
}

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
		const bytes = fs.readFileSync(file);
		await createOllamaModel(url, 'test-model', bytes);
		await createOllamaModel(url, 'without-tools', withoutTools(bytes));
	});
	afterAll(async () => {
		await stopServers();
		await stopEverything();
	});

	it('one of the models has no tools', async () => {
		const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } };
		const messages = [{ role: 'user', content: 'Hello' }];
		const body = { model: 'without-tools', messages, tools: [tool] };
		const refused = await fetch(`${url}/v1/chat/completions`, {
			method: 'POST',
			body: JSON.stringify(body),
		});
		expect(await refused.text()).toContain('does not support tools');
	});

	it.each(MODELS.flatMap((model) => CALLERS.map((caller) => ({ model, caller }))))(
		'$caller.node reads the response of $model',
		async ({ model, caller }) => {
			expect(await runCaller(n8n, { url, caller, model })).toMatchObject(caller.json);
		},
	);
});
