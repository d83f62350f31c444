import { reply } from '../../../servers/llama-server';
import { SESAME, useLocalLlama } from '../run-node';

const { serve, json } = useLocalLlama();

test.each([
	['chat', { prompt: 'Hi' }, undefined, { text: 'You said: Hi' }],
	['complete', { prompt: 'a b' }, undefined, { text: ' and so on after b' }],
	[
		'extract',
		{ text: 'x', fields: { field: [{ name: 'a' }] } },
		'{"a":"x"}',
		{ output: { a: 'x' } },
	],
	['classify', { text: 'x', labels: ['spam', 'ham'] }, 'B', { label: 'ham' }],
])(
	'B90: where the first server is down, another one does "%s"',
	async (operation, parameters, answer, result) => {
		const sim = await serve();
		if (answer !== undefined) sim.script(reply.text(answer));
		const credentials = {
			baseUrl: 'http://127.0.0.1:1',
			apiKey: SESAME,
			furtherServers: { server: [{ baseUrl: sim.url, apiKey: SESAME }] },
		};
		expect(
			await json({ resource: 'text', operation, ...parameters }, { credentials }),
		).toMatchObject(result);
	},
);
