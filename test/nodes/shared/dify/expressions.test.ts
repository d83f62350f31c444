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

describe('a number', () => {
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
