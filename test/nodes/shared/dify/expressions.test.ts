import { type DifySim } from '../../../simulators/dify';
import { startApp, startSim } from '../../../lib/dify/client';
import {
	getItemError,
	executePrepared,
	executeNode,
	getNodeError,
	prepareNode,
	type Setup,
} from '../../dify';

const byId = (value: unknown) => ({ __rl: true, mode: 'id', value });
const textFile = (data: string) => [
	{ json: {}, binary: { data: { data, mimeType: 'text/plain', fileName: 'a.txt' } } },
];

const chatJson = async (sim: Pick<DifySim, 'url'>, setup?: Setup) =>
	(await executeNode('difyChatMessage', sim, setup))[0]!.json;

/** Refused by name, and nothing was sent. */
async function expectRejected(
	sim: DifySim,
	promise: Promise<unknown>,
	message: string,
): Promise<void> {
	const requestCount = sim.requests.length;
	expect((await getNodeError(promise)).message).toContain(message);
	expect(sim.requests).toHaveLength(requestCount);
}

describe('an unknown choice is rejected', () => {
	test.each([
		[
			'Conversation',
			'conversation',
			'Latest',
			'must be one of auto, byId, latest, new, but is "Latest"',
		],
		[
			'Conversation',
			'conversation',
			undefined,
			'must be one of auto, byId, latest, new, but is undefined',
		],
		['Conversation', 'conversation', null, 'must be one of auto, byId, latest, new, but is null'],
	])('in the field %s: %p', async (label, name, value, message) => {
		const sim = await startSim();
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, { parameters: { [name]: value } }),
			`The field "${label}" ${message}`,
		);
	});

	test.each([
		[
			'When Conversation Is Unavailable',
			'onStaleConversation',
			'start',
			'must be one of error, startNew',
		],
		['When Workflow Pauses', 'onPause', true, 'must be one of error, return'],
		[
			'Include',
			'include',
			['thoughts', 'thougths'],
			'must be one of thoughts, files, sources, workflow, but is "thougths"',
		],
	])('in the option %s: %p', async (label, name, value, message) => {
		const sim = await startSim();
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, { parameters: { options: { [name]: value } } }),
			`The field "${label}" ${message}`,
		);
	});

	test('in the source of a file', async () => {
		const sim = await startSim();
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, {
				items: textFile('eA=='),
				parameters: { files: { file: [{ source: 'bin' }] } },
			}),
			'must be one of all, binary, url, but is "bin"',
		);
	});
});

describe('a toggle', () => {
	test('is off for the text "false" and for 0', async () => {
		const sim = await startSim();
		for (const simplify of ['false', ' False ', 0, false])
			expect(await chatJson(sim, { parameters: { simplify } })).toHaveProperty('message_id');
		for (const simplify of ['true', 1, true])
			expect(await chatJson(sim, { parameters: { simplify } })).toHaveProperty('messageId');
		for (const [given, requestCount] of [
			['false', false],
			[0, false],
			['1', true],
			[true, true],
		] as const) {
			await chatJson(sim, { parameters: { options: { autoGenerateName: given } } });
			expect(sim.requests.at(-1)!.json).toMatchObject({ auto_generate_name: requestCount });
		}
	});

	test('may be text for the automatic name and for missing ratings', async () => {
		const sim = await startSim();
		const { conversationId, messageId } = await chatJson(sim);
		const rename = async (autoGenerate: unknown) =>
			(
				await executeNode('difyConversation', sim, {
					parameters: {
						resource: 'conversation',
						operation: 'rename',
						conversationId: byId(conversationId),
						name: 'By hand',
						autoGenerate,
					},
				})
			)[0]!.json.name;
		expect([await rename('true'), await rename('false'), await rename(1)]).toEqual([
			'About hi',
			'By hand',
			'About hi',
		]);
		const revoke = async (ignoreNotRated: unknown) =>
			await executeNode('difyFeedback', sim, {
				parameters: { operation: 'revoke', messageId, options: { ignoreNotRated } },
			});
		expect((await revoke(1))[0]!.json).toMatchObject({ alreadySo: true });
		await expect(revoke('false')).rejects.toThrow('rating cannot be None when feedback not exists');
	});

	test.each(['maybe', 2, {}, []])('rejects %j', async (value) => {
		const sim = await startSim();
		const message = `must be true or false, but is ${JSON.stringify(value)}`;
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, { parameters: { simplify: value } }),
			`The field "Simplify" ${message}`,
		);
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, {
				parameters: { options: { enableStreaming: value } },
				streaming: true,
			}),
			`The field "Enable Streaming" ${message}`,
		);
		await expectRejected(
			sim,
			executeNode('difyFeedback', sim, { parameters: { operation: 'getAll', returnAll: value } }),
			`The field "Return All" ${message}`,
		);
	});
});

describe('a number', () => {
	test.each([true, [5], { a: 1 }, 'many', null, undefined])(
		'that is %j is an error',
		async (value) => {
			const sim = await startSim();
			await expectRejected(
				sim,
				executeNode('difyFeedback', sim, { parameters: { operation: 'getAll', limit: value } }),
				`The field "Limit" must be a number from 1, but is ${JSON.stringify(value)}`,
			);
		},
	);

	test('has the range of its field, since a million concurrent items would crash n8n', async () => {
		const sim = await startSim();
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, {
				parameters: { options: { maxConcurrentItems: 1_000_000 } },
			}),
			'"Max Concurrent Items" must be a number from 1 to 64, but is 1000000',
		);
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, { parameters: { options: { maxRetries: 99 } } }),
			'"Retries" must be a number from 0 to 10',
		);
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, { parameters: { options: { idleTimeout: true } } }),
			'"Idle Timeout (Seconds)" must be a number from 0',
		);
	});
});

test('invalid options of the first item fail only that item', async () => {
	const sim = await startSim();
	for (const options of [new Error('no such field'), { maxConcurrentItems: 'many' }]) {
		const setup = {
			items: [{ json: {} }, { json: {} }],
			perItem: [{ options }, {}],
			continueOnFail: true,
		};
		const items = await executeNode('difyChatMessage', sim, setup);
		expect(items.map((item) => getItemError(item)?.message ?? item.json.answer)).toEqual([
			expect.stringMatching(/no such field|"Max Concurrent Items" must be a number/),
			'You said: hi',
		]);
		const fake = prepareNode('difyChatMessage', sim, { ...setup, streaming: true });
		await executePrepared('difyChatMessage', fake);
		expect(new Set(fake.chunks.map(({ itemIndex, type }) => `${itemIndex} ${type}`))).toEqual(
			new Set(['0 error', '1 begin', '1 item', '1 end']),
		);
	}
});

describe('a text', () => {
	test('is not converted from other types if it is a name', async () => {
		const sim = await startSim();
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, { parameters: { options: { answerField: { a: 1 } } } }),
			'The field "Response Field" must be a text, but is {"a":1}',
		);
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, { parameters: { options: { workflowId: ['x'] } } }),
			'The field "Workflow ID" must be a text, but is ["x"]',
		);
		expect(await chatJson(sim, { parameters: { options: { answerField: 7 } } })).toMatchObject({
			7: 'You said: hi',
		});
		for (const answerField of [null, undefined, '', ' '])
			expect(await chatJson(sim, { parameters: { options: { answerField } } })).toMatchObject({
				answer: 'You said: hi',
			});
	});
});

describe('a file', () => {
	test.each([
		[{ source: 'binary', binaryProperty: undefined }, 'The field "Input Binary Field" is empty'],
		[{ source: 'binary', binaryProperty: ' , ' }, 'The field "Input Binary Field" is empty'],
		[
			{ source: 'binary', binaryProperty: { data: 1 } },
			'The field "Input Binary Field" must be a text',
		],
		[{ source: 'url', url: undefined }, 'The field "URL" is empty'],
		[{ source: 'url', url: '' }, 'The field "URL" is empty'],
		[{ source: 'url', url: null }, 'The field "URL" is empty'],
		[{ source: 'url', url: {} }, 'The file URL is not valid'],
	])('that is requested is not silently omitted: %j', async (file, message) => {
		const sim = await startSim();
		await expectRejected(
			sim,
			executeNode('difyChatMessage', sim, {
				items: textFile('eA=='),
				parameters: { files: { file: [file] } },
			}),
			message,
		);
	});

	test('may be an empty list for none', async () => {
		const sim = await startSim();
		await chatJson(sim, {
			parameters: { files: { file: [{ source: 'url', url: [] }, { source: 'all' }] } },
		});
		expect(sim.requests.map(({ path }) => path)).toEqual(['/chat-messages']);
	});
});

describe('inputs', () => {
	test.each([null, undefined, 5, true, [], 'x', '[]', '"x"'])(
		'as JSON that is %j are rejected',
		async (inputsJson) => {
			const sim = await startSim();
			await expectRejected(
				sim,
				executeNode('difyChatMessage', sim, { parameters: { inputsJson } }),
				'The inputs are not a JSON object',
			);
		},
	);

	test('of a checkbox are on or off', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'checkbox', variable: 'terse' }],
		});
		const send = (terse: unknown) => ({
			parameters: { inputsMode: 'form', inputs: { value: { terse } } },
		});
		for (const terse of [true, 'TRUE', 'true', 1, false, 'False', '0', 0])
			await chatJson(sim, send(terse));
		expect(sim.runs.map(({ inputs }) => inputs.terse)).toEqual([
			true,
			true,
			true,
			true,
			false,
			false,
			false,
			false,
		]);
	});
});
