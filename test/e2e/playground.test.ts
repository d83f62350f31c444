import {
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
} from './support/playground';

interface Completion {
	choices: Array<{
		finish_reason: string;
		message: {
			content: string;
			reasoning_content?: string;
			tool_calls?: Array<{ function: { name: string; arguments: string } }>;
		};
	}>;
	usage: { completion_tokens: number };
}

const TOOLS = [
	{
		type: 'function',
		function: {
			name: 'add',
			description: 'Adds two numbers',
			parameters: {
				type: 'object',
				properties: { a: { type: 'integer' }, b: { type: 'integer' } },
				required: ['a', 'b'],
			},
		},
	},
];

async function complete(url: string, body: object): Promise<Completion> {
	const response = await fetch(`${url}/v1/chat/completions`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ seed: 7, ...body }),
	});
	expect(response.status).toBe(200);
	return (await response.json()) as Completion;
}

const ask = (content: string) => ({ messages: [{ role: 'user', content }] });

afterAll(stopEverything);

describe('the real llama-server', () => {
	it('answers, calls tools and keeps to a schema with the generated model', async () => {
		const server = await startLlamaServer({ contextSize: 4096, parallel: 2 });
		expect(await server.slots()).toHaveLength(2);
		expect(server.residentBytes()).toBeGreaterThan(1e6);

		const plain = await complete(server.url, ask('Hello'));
		expect(plain.choices[0]?.finish_reason).toBe('stop');
		expect(plain.usage.completion_tokens).toBeGreaterThan(0);

		const called = await complete(server.url, {
			...ask('Add'),
			tools: TOOLS,
			tool_choice: 'required',
		});
		const call = called.choices[0]?.message.tool_calls?.[0]?.function;
		expect(call?.name).toBe('add');
		expect(JSON.parse(call?.arguments ?? '')).toEqual({
			a: expect.any(Number),
			b: expect.any(Number),
		});

		const schema = {
			type: 'object',
			properties: { color: { enum: ['red', 'blue'] } },
			required: ['color'],
		};
		const shaped = await complete(server.url, {
			...ask('Which color?'),
			response_format: { type: 'json_schema', json_schema: { name: 'color', schema } },
		});
		expect(['red', 'blue']).toContain(JSON.parse(shaped.choices[0]?.message.content ?? '').color);
		await server.stop();
		expect(server.service.running).toBe(false);
	});

	it('embeds with the generated model', async () => {
		const server = await startLlamaServer({ args: ['--embeddings', '--pooling', 'mean'] });
		const response = await fetch(`${server.url}/v1/embeddings`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ input: 'Hello' }),
		});
		const { data } = (await response.json()) as { data: Array<{ embedding: number[] }> };
		expect(data[0]?.embedding).toHaveLength(64);
		await server.stop();
	});

	it('plays a script: thinking, two calls, then the answer to their results', async () => {
		const thought = '<think>\nBoth sums are needed.\n</think>\n\n';
		const call = (a: number, b: number) =>
			`<tool_call>\n{"name": "add", "arguments": {"a": ${a}, "b": ${b}}}\n</tool_call>`;
		const model = await scriptedModel([
			{ last: 'tool', reply: 'The sums are 3 and 7.' },
			{ last: 'user', contains: 'both', reply: `${thought}${call(1, 2)}\n${call(3, 4)}` },
		]);
		const server = await startLlamaServer({ model });
		const { messages } = ask('Add both pairs');
		const first = (await complete(server.url, { messages, tools: TOOLS })).choices[0];
		expect(first?.finish_reason).toBe('tool_calls');
		expect(first?.message.reasoning_content?.trim()).toBe('Both sums are needed.');
		expect(first?.message.tool_calls?.map((one) => JSON.parse(one.function.arguments))).toEqual([
			{ a: 1, b: 2 },
			{ a: 3, b: 4 },
		]);
		const results = ['3', '7'].map((content, index) => ({
			role: 'tool',
			tool_call_id: String(index),
			content,
		}));
		const second = await complete(server.url, {
			messages: [...messages, first?.message, ...results],
			tools: TOOLS,
		});
		expect(second.choices[0]?.message.content).toBe('The sums are 3 and 7.');
		await server.stop();
	});
});

describe('the real n8n', () => {
	it('starts with the nodes of this package and answers', async () => {
		const n8n = await startN8n();
		const names = (await n8n.nodeTypes()).map(({ name }) => name);
		expect(names).toEqual(
			expect.arrayContaining(['CUSTOM.localChatModel', 'n8n-nodes-base.webhook']),
		);
		expect(await n8n.listExecutions()).toEqual([]);
		expect(parts().n8n.version).toMatch(/^2\./);
		await n8n.stop();
		expect(n8n.service.running).toBe(false);
	});
});
