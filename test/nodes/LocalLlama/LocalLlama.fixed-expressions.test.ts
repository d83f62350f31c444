/** Expressions in fixed fields: an error in the field that the operation is about, a hint elsewhere. */
import type { IDataObject } from 'n8n-workflow';
import { useLocalLlama } from './run-node';

const { serve, prepare, executeIn, getContent } = useLocalLlama();

/** What a run of these stored parameters gives. */
interface Outcome {
	/** Requests that reached the server. */
	requests: number;
	error: { message: string; description: string } | undefined;
	hints: string[];
}

const run = async (parameters: IDataObject): Promise<Outcome> => {
	const sim = await serve();
	const fake = prepare({ parameters, written: parameters });
	const error = await executeIn(fake).then(
		() => undefined,
		(reason: unknown) => reason as Outcome['error'],
	);
	return { requests: sim.requests.length, error, hints: fake.hints.map(({ message }) => message) };
};

const EXPRESSION = '{{ $json.text }}';

const LABELS = { label: [{ name: 'a' }, { name: 'b' }] };
const FIELDS = { field: [{ name: 'city' }] };

test.each([
	{ resource: 'text', operation: 'chat', field: 'prompt', label: 'Prompt' },
	{ resource: 'text', operation: 'complete', field: 'prompt', label: 'Prompt' },
	{ resource: 'text', operation: 'extract', field: 'text', label: 'Text', fields: FIELDS },
	{ resource: 'text', operation: 'classify', field: 'text', label: 'Text', labels: LABELS },
	{ resource: 'vector', operation: 'embed', field: 'text', label: 'Text' },
	{ resource: 'vector', operation: 'rerank', field: 'query', label: 'Query', document: 'd' },
	{ resource: 'image', operation: 'generate', field: 'prompt', label: 'Prompt' },
	{ resource: 'audio', operation: 'speak', field: 'text', label: 'Text' },
])(
	'$resource $operation: an expression in the fixed field $label is an error before anything is sent',
	async ({ field, label, ...parameters }) => {
		const { requests, error } = await run({ ...parameters, [field]: 'Mail: {{ $json.text }}' });
		expect(error?.message).toBe(`The field "${label}" is fixed text with an expression in it`);
		expect(error?.description).toContain('Switch the field to Expression');
		expect(requests).toBe(0);
	},
);

test.each(['{{$json["a"]}}', "{{ $('Mail').item.json.text }}", '{{\n$input.first().json }}'])(
	'%j is an expression',
	async (prompt) => {
		const { error } = await run({ resource: 'text', operation: 'chat', prompt });
		expect(error?.message).toContain('fixed text with an expression');
	},
);

test.each(['{{ name }}', '{{ $value }}', '{{ .Values.json }}', '$json.text', '{ {$json.text} }'])(
	'%j is text, and is sent as it is',
	async (prompt) => {
		const { error, hints } = await run({ resource: 'text', operation: 'chat', prompt });
		expect({ error, hints }).toEqual({ error: undefined, hints: [] });
		expect(getContent()).toBe(prompt);
	},
);

test.each([
	{ parameters: { system: 'Explain {{ $json.text }} to a beginner.' }, label: 'System Message' },
	{ parameters: { options: { stop: '{{ $json.end }}' } }, label: 'Stop Sequences' },
	{
		parameters: {
			options: { messages: { message: [{ role: 'user', content: EXPRESSION }] } },
		},
		label: 'Messages: Content',
	},
])('elsewhere it is sent, with a hint: $label', async ({ parameters, label }) => {
	const chat = { resource: 'text', operation: 'chat', prompt: 'Hi', ...parameters };
	const { error, hints } = await run(chat);
	expect(error).toBeUndefined();
	expect(hints).toEqual([
		`The field "${label}" is fixed text with an expression in it, which counts as it is written. Switch the field to Expression if n8n should fill it in.`,
	]);
});

test.each([
	{ option: 'maxTokens', label: 'Maximum Tokens' },
	{ option: 'extraBody', label: 'Extra Body' },
])('where it cannot be sent, the error of $label has the cure', async ({ option, label }) => {
	const options = { [option]: '{{ $json.text }}' };
	const chat = { resource: 'text', operation: 'chat', prompt: 'Hi', options };
	const { requests, error } = await run(chat);
	expect(error?.message).toContain(label);
	expect(error?.description).toContain('Switch the field to Expression');
	expect(requests).toBe(0);
});

test('a place in a prompt that stays empty for every item is a hint, and not for a tool', async () => {
	await serve();
	const getHintsOf = async (type: string): Promise<string[]> => {
		const parameters = { resource: 'text', operation: 'chat', prompt: 'Mail: ' };
		const written = { ...parameters, prompt: '=Mail: {{ $json.txet }}' };
		const items = [{ json: { text: 'a' } }, { json: { text: 'b' } }];
		const fake = prepare({ type, parameters, written, items });
		expect(await executeIn(fake)).toHaveLength(2);
		return fake.hints.map(({ message }) => message);
	};
	expect(await getHintsOf('n8n-nodes-local-llama.localLlama')).toEqual([
		expect.stringContaining(
			'contains {{ $json.txet }}, which is empty in every input item',
		) as string,
	]);
	expect(await getHintsOf('n8n-nodes-local-llama.localLlamaTool')).toEqual([]);
});

test('the error of another field keeps its own advice', async () => {
	const chat = { resource: 'text', operation: 'chat', prompt: '', system: '{{ $json.text }}' };
	const { error } = await run(chat);
	expect(error?.message).toBe('The field "Prompt" is empty');
	expect(error?.description).not.toContain('Switch the field');
});

test.each([
	{
		operation: 'generate',
		resource: 'image',
		field: 'prompt',
		title: 'The field "Prompt" is empty',
	},
	{ operation: 'rerank', resource: 'vector', field: 'query', title: 'The field "Query" is empty' },
])('an expression that returns nothing sends nothing: $operation', async (row) => {
	const { field, title, operation, resource } = row;
	const { requests, error } = await run({ resource, operation, document: 'd', [field]: undefined });
	expect({ requests, message: error?.message }).toEqual({ requests: 0, message: title });
});

test('an output field whose value is no text is an error, whatever the item', async () => {
	const options = { outputField: { a: 1 } };
	const { error } = await run({ resource: 'text', operation: 'chat', prompt: 'Hi', options });
	expect(error?.message).toBe('The field "Output Field" must be a text, but is {"a":1}');
});
