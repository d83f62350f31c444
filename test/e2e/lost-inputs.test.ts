/** Files that a person gave to a trigger, in the real n8n: each is sent, or a hint at the node names it. */
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import { after, closeAll, lastExecution, shareN8n, theN8n } from './support/run-examples';
import { llamaCredential, stopEverything } from './support/playground';
import type { Execution, Workflow } from './support/playground';
import { until } from './support/until';
import { agent, chatTrigger, localModel, textItems, workflowOf } from './support/workflows';

const PNG = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);
const FILES = [
	{ name: 'bike.png', type: 'image/png', bytes: PNG },
	{ name: 'terms.pdf', type: 'application/pdf', bytes: Buffer.from('%PDF-1.7\n') },
	{ name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('Buy milk') },
];

beforeAll(async () => {
	await shareN8n();
});
afterEach(closeAll);
afterAll(stopEverything);

type Created = Workflow & { id: string };
interface Named {
	id: string;
	name: string;
}

async function begin(
	build: (credential: Named) => Workflow,
): Promise<{ sim: LlamaServerSim; workflow: Created }> {
	const sim = await startLlamaServerSim({ vision: true, nCtx: 65_536 });
	after(async () => await sim.close());
	const data = { ...llamaCredential(sim), id: undefined };
	const workflow = await theN8n().createWorkflow(build(await theN8n().createCredential(data)));
	if (workflow.nodes.every(({ type }) => type !== 'n8n-nodes-base.manualTrigger'))
		await theN8n().activate(workflow.id);
	after(
		async () => await theN8n().request('POST', `/rest/workflows/${workflow.id}/deactivate`, {}),
	);
	return { sim, workflow };
}

/** Sends a message with files, as n8n's chat does. */
async function send({ id, nodes }: Created, files: typeof FILES): Promise<Execution> {
	const { webhookId } = nodes.find(({ type }) => type.endsWith('.chatTrigger'))!;
	const body = new FormData();
	for (const [name, value] of Object.entries({
		action: 'sendMessage',
		sessionId: 's',
		chatInput: 'What is this?',
	}))
		body.append(name, value);
	for (const { name, type, bytes } of files)
		body.append('files', new Blob([bytes], { type }), name);
	const post = async () =>
		await fetch(`${theN8n().url}/webhook/${webhookId}/chat`, { method: 'POST', body });
	// n8n registers a chat a moment after it activates the workflow.
	const response = await until(post, ({ status }) => status !== 404, 60_000);
	await response.text();
	return await lastExecution(id);
}

const hintsOf = ({ data }: Execution, node: string) =>
	(data.resultData.runData[node] ?? []).flatMap(({ hints = [] }) =>
		(hints as Array<{ message: string; type: string }>)
			.filter(({ type }) => type !== 'info')
			.map(({ message }) => message.replaceAll('&#8203;', '').replace(/[​\\]/g, '')),
	);

/** Fills in a form with a question and pictures. */
async function submit(
	{ id, nodes }: Created,
	question: string,
	names: readonly string[] = ['bike.png'],
): Promise<Execution> {
	const { webhookId } = nodes.find(({ type }) => type.endsWith('.formTrigger'))!;
	const form = new FormData();
	form.append('field-0', question);
	for (const name of names) form.append('field-1', new Blob([PNG], { type: 'image/png' }), name);
	const post = async () =>
		await fetch(`${theN8n().url}/form/${webhookId}`, { method: 'POST', body: form });
	// n8n registers a form a moment after it activates the workflow.
	expect(await until(post, ({ status }) => status !== 404, 60_000)).toMatchObject({ status: 200 });
	return await lastExecution(id);
}

/** The last message of the only generation. */
const sentTo = (sim: LlamaServerSim) => {
	const [request] = sim.requests.filter(({ path }) => path.endsWith('/chat/completions'));
	return JSON.stringify((request!.body as { messages: unknown[] }).messages);
};

const uploads = (webhookId: string, to: string) => {
	const trigger = chatTrigger(webhookId, to);
	const options = { responseMode: 'lastNode', allowFileUploads: true };
	return { ...trigger, parameters: { ...trigger.parameters, options } };
};

const localLlama = (credential: Named, parameters: Record<string, unknown>) => ({
	type: 'CUSTOM.localLlama',
	parameters: {
		resource: 'text',
		operation: 'chat',
		model: { __rl: true, mode: 'id', value: 'sim-model' },
		options: {},
		...parameters,
	},
	credentials: { localLlamaApi: credential },
});

describe('a form with a picture and a question', () => {
	const form =
		(webhookId: string, chat: (credential: Named) => object, multipleFiles = false) =>
		(credential: Named) =>
			workflowOf('Form', {
				Form: {
					type: 'n8n-nodes-base.formTrigger',
					typeVersion: 2.3,
					webhookId,
					parameters: {
						formTitle: 'Bikes',
						formFields: {
							values: [
								{ fieldLabel: 'Question' },
								{ fieldLabel: 'Picture', fieldType: 'file', multipleFiles },
							],
						},
						options: {},
					},
					to: ['Chat'],
				},
				Chat: chat(credential) as never,
			});
	const question = '={{ $json.Question }}';

	it('Text: Chat sends the question, and a hint names the picture and the option', async () => {
		const build = (credential: Named) => localLlama(credential, { prompt: question });
		const { sim, workflow } = await begin(form('lost-form-chat', build));
		expect(hintsOf(await submit(workflow, 'Which color?'), 'Chat')).toEqual([
			expect.stringMatching(/^1 file was not sent: bike.png .*add the option Input Binary Fields/),
		]);
		expect(sentTo(sim)).not.toContain('image_url');
	});

	it.each([
		['Text: Chat with the option', { prompt: question, options: { binaryFields: 'Picture' } }],
		[
			'Image: Ask',
			{ resource: 'image', operation: 'ask', prompt: question, binaryFields: 'Picture' },
		],
	])('%s sends the picture', async (name, parameters) => {
		const build = (credential: Named) => localLlama(credential, parameters);
		const path = `lost-form-${name.replace(/\W+/g, '-')}`;
		const { sim, workflow } = await begin(form(path, build));
		expect(hintsOf(await submit(workflow, 'Which color?'), 'Chat')).toEqual([]);
		expect(sentTo(sim)).toContain('image_url');
	});

	// n8n numbers the files of a field that takes several.
	it.each([
		['Picture', 0],
		['Picture_0, Picture_1, Picture_2', 3],
	])('of three pictures in one field, %s sends %i', async (binaryFields, sent) => {
		const parameters = { prompt: question, options: { binaryFields } };
		const build = (credential: Named) => localLlama(credential, parameters);
		const { sim, workflow } = await begin(form(`lost-form-three-${sent}`, build, true));
		const names = ['front.png', 'side.png', 'back.png'];
		const { data } = await submit(workflow, 'Which color?', names);
		const { error } = data.resultData as unknown as { error?: Failure };
		const generations = sim.requests.filter(({ path }) => path.endsWith('/chat/completions'));
		const images = generations.flatMap(
			({ bytes }) => String(bytes).match(/"type":"image_url"/g) ?? [],
		);
		expect({ message: error?.message, images: images.length }).toEqual({
			message:
				sent > 0
					? undefined
					: "The item has no binary field 'Picture'. The item has: Picture_0, Picture_1, Picture_2",
			images: sent,
		});
	});
});

describe('a message with an image, a PDF and a text', () => {
	it('Text: Chat names all three', async () => {
		const { workflow } = await begin((credential) =>
			workflowOf('Chat', {
				Trigger: uploads('lost-chat', 'Chat'),
				Chat: localLlama(credential, { prompt: '={{ $json.chatInput }}' }),
			}),
		);
		expect(hintsOf(await send(workflow, FILES), 'Chat')).toEqual([
			// n8n lists the files of a message in any order.
			expect.stringMatching(
				/^3 files were not sent: (?=.*bike.png \()(?=.*terms.pdf \()(?=.*notes.txt \()/,
			),
		]);
	});

	it('Text: Chat counts twenty of all kinds, and one without a name', async () => {
		const { sim, workflow } = await begin((credential) =>
			workflowOf('Chat', {
				Trigger: uploads('lost-chat-many', 'Chat'),
				Chat: localLlama(credential, { prompt: '={{ $json.chatInput }}' }),
			}),
		);
		const kinds = [...FILES, { name: '', type: 'application/octet-stream', bytes: PNG }];
		const many = Array.from({ length: 5 }, (_none, at) =>
			kinds.map((kind) => ({ ...kind, name: kind.name && `${at}-${kind.name}` })),
		);
		const hints = hintsOf(await send(workflow, many.flat()), 'Chat');
		expect(hints).toEqual([expect.stringMatching(/^20 files were not sent: /)]);
		expect(sentTo(sim)).not.toContain('image_url');
	});

	it('Text: Chat reads a file and a text of the same name as what each field names', async () => {
		const { sim, workflow } = await begin((credential) =>
			workflowOf('Chat', {
				Trigger: { ...uploads('lost-same-name', 'Name') },
				Name: {
					type: 'n8n-nodes-base.code',
					typeVersion: 2,
					parameters: {
						jsCode:
							'const [{ json, binary }] = $input.all();\n' +
							"return [{ json: { photo: 'The text of photo' }, binary: { photo: binary.data0 } }];",
					},
					to: ['Chat'],
				},
				Chat: localLlama(credential, {
					prompt: '={{ $json.photo }}',
					options: { binaryFields: 'photo' },
				}),
			}),
		);
		expect(hintsOf(await send(workflow, FILES.slice(0, 1)), 'Chat')).toEqual([]);
		expect(sentTo(sim)).toContain('The text of photo');
		expect(sentTo(sim)).toContain('image_url');
	});

	// Without the option, n8n's agent does not pass on texts either.
	it.each([
		[true, /^1 file was not sent: terms.pdf \(Agent did not pass it on\)\. .*Extract From PDF/],
		[false, /^3 files were not sent: (?=.*bike.png).*Passthrough/],
	])('AI Agent, images passed on: %s', async (passthroughBinaryImages, hint) => {
		const { sim, workflow } = await begin((credential) =>
			workflowOf('Agent', {
				Trigger: uploads(`lost-agent-${String(passthroughBinaryImages)}`, 'Agent'),
				Agent: agent(undefined, { options: { passthroughBinaryImages } }),
				Model: localModel(credential, {
					model: { __rl: true, mode: 'id', value: 'sim-model' },
				}),
			}),
		);
		expect(hintsOf(await send(workflow, FILES), 'Model')).toEqual([expect.stringMatching(hint)]);
		expect(sentTo(sim).includes('Buy milk')).toBe(passthroughBinaryImages);
		expect(sentTo(sim).includes('image_url')).toBe(passthroughBinaryImages);
	});
});

it('a batch that fails at its last item keeps the results of the others in its error', async () => {
	const { sim, workflow } = await begin((credential) =>
		workflowOf('Batch', {
			...textItems(['one', 'two', 'bad'], 'Chat'),
			Chat: localLlama(credential, {
				prompt: '={{ $json.text }}',
				options: { maxRetries: 0, maxConcurrentItems: 1 },
			}),
		}),
	);
	const failure = reply.llamaError(400, 'It is bad.', 'invalid_request_error');
	sim.script(reply.text('First.'), reply.text('Second.'), failure, failure);
	const { data } = await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, 'Start'));
	const { error } = data.resultData as unknown as { error: Failure };
	expect(error.context.data.finished).toEqual([
		{ item: 1, json: { text: 'one', output: 'First.' } },
		{ item: 2, json: { text: 'two', output: 'Second.' } },
	]);
	expect(error.description).toMatch(/2 of 3 items were finished.*Continue.*Overnight batch/);
});

interface Failure {
	message: string;
	description: string;
	context: { data: { finished: unknown } };
}
