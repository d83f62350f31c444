/** Three items in each kind of operation, chat and failure: what runs when, what the chat shows, and the items or the error. */
import type { INodeExecutionData } from 'n8n-workflow';

import { createInputError } from '../../../../lib/errors/create-error';
import { RUN_OPTIONS } from '../../../../nodes/shared/dify/run-options';
import { optionsField } from '../../../../nodes/shared/fields/options-field';
import { toProperties } from '../../../../nodes/shared/fields/to-properties';
import { ItemError, toItemErrorOrThrow } from '../../../../nodes/shared/items/item-error';
import type { Operation, OperationCall } from '../../../../nodes/shared/items/operation';
import { runOperations } from '../../../../nodes/shared/items/run-operations';
import { expectApproved } from '../../../support/approved/approved-table';
import { combine, describeNodeError } from '../../../support/approved/outcome';
import { executeContext } from '../../../support/n8n/execute-context';
import path from 'node:path';
import { setImmediate } from 'node:timers';

interface Access {
	access: string;
}

const turn = async (): Promise<void> =>
	await new Promise((done) => {
		setImmediate(done);
	});

/** How items are processed. */
const KINDS = ['alone', 'together', 'together by a field', 'one key'] as const;
/** What fails. */
const FAILURES = [
	'nothing',
	'item 0',
	'item 1',
	'items 0 and 2',
	'access of item 0',
	'access of all',
	'item 1 as a result',
] as const;
const HANDLINGS = ['stop', 'continue', 'error output'] as const;
const CHATS = [
	'no chat',
	'chat',
	'chat, streaming off',
	'two at once',
	'chat, two at once',
] as const;

interface Case {
	kind: (typeof KINDS)[number];
	failure: (typeof FAILURES)[number];
	handling: (typeof HANDLINGS)[number];
	chat: (typeof CHATS)[number];
}

async function play({ kind, failure, handling, chat }: Case): Promise<string> {
	const log: string[] = [];
	const fails = (itemIndex: number): boolean =>
		/^items?\b/.test(failure) && !failure.includes('result') && failure.includes(`${itemIndex}`);
	const createFailure = (itemIndex: number): Error =>
		createInputError(`Item ${itemIndex} is wrong`, 'Correct it.');
	const processOne = async (call: OperationCall<Access>, itemIndex: number): Promise<object> => {
		log.push(`begin ${itemIndex} with ${call.access}`);
		await call.chatStream?.write(`text ${itemIndex}`);
		await turn();
		if (call.signal.aborted) log.push(`aborted ${itemIndex}`);
		if (fails(itemIndex)) throw createFailure(itemIndex);
		call.hint(`hint ${itemIndex}`);
		log.push(`end ${itemIndex}`);
		return { json: { value: itemIndex }, output: itemIndex % 2 };
	};
	const operation: Operation<Access> = {
		name: 'Test',
		value: 'test',
		action: 'Test',
		description: 'Test',
		fields: toProperties({
			options: optionsField({
				enableStreaming: RUN_OPTIONS.enableStreaming,
				maxConcurrentItems: RUN_OPTIONS.maxConcurrentItems,
			}),
		}),
		...(kind === 'together' && { runsOnceForAllItems: true }),
		...(kind === 'together by a field' && {
			runsOnceForAllItems: ({ itemIndex }) => itemIndex === 0,
		}),
		...(kind === 'one key' && { getSequenceKey: () => 'key' }),
		execute: async (call) => {
			const results: object[] = [];
			for (const itemIndex of call.itemIndexes) {
				if (failure === 'item 1 as a result' && itemIndex === 1)
					results.push(
						toItemErrorOrThrow(call, {
							itemIndex,
							reason: createFailure(itemIndex),
							facts: { at: 1 },
						}),
					);
				else results.push(await processOne(call, itemIndex));
			}
			return results as never;
		},
	};
	const { context, chunks, hints } = executeContext({
		type: 'test',
		credentials: {},
		items: [0, 1, 2].map((id) => ({ json: { id } })),
		parameters: {
			options: {
				...(chat === 'chat, streaming off' && { enableStreaming: false }),
				...(chat.endsWith('two at once') && { maxConcurrentItems: 2 }),
			},
		},
		continueOnFail: handling === 'continue',
		hasErrorOutput: handling === 'error output',
		streaming: chat.startsWith('chat'),
	});
	const outcome = await runOperations<Access>(context, {
		table: { getOperation: () => operation },
		getAccess: async ({ itemIndex }) => {
			if (failure === 'access of all' || failure === `access of item ${itemIndex}`)
				throw createFailure(itemIndex);
			return { access: `key ${itemIndex}` };
		},
		outputs: 2,
	}).then((outputs) => outputs.map(describeItems).join(' / '), describeNodeError);
	return [
		log.join(', '),
		chunks
			.map(({ type, itemIndex, content }) => `${type} ${itemIndex} ${JSON.stringify(content)}`)
			.join(', '),
		outcome,
		hints.map(({ message }) => message).join(', '),
	].join(' ; ');
}

const describeItems = (items: readonly INodeExecutionData[]): string =>
	items.map(({ json, pairedItem }) => JSON.stringify([json, pairedItem])).join(' ') || 'nothing';

test('the error of an item is a result only if the node goes on', () => {
	const rows = combine({
		continues: [true, false],
		isStopped: [true, false],
		isKnown: [true, false],
	}).map((one) => {
		const { continues, isStopped, isKnown } = one;
		const run = {
			context: { continueOnFail: () => continues },
			signal: isStopped ? AbortSignal.abort() : new AbortController().signal,
		};
		const reason = isKnown ? new ItemError(7, 'a reason', { facts: { known: 1 } }) : 'a reason';
		const describe = ({ itemIndex, facts }: ItemError): string =>
			`item ${itemIndex} ${JSON.stringify(facts)}`;
		let outcome: string;
		try {
			outcome = describe(toItemErrorOrThrow(run, { itemIndex: 2, reason, facts: { at: 1 } }));
		} catch (error) {
			outcome = `! ${describe(error as ItemError)}`;
		}
		return { input: JSON.stringify(one), outcome };
	});
	expectApproved(
		path.join(__dirname, 'run-operations.any-run.results.approved.txt'),
		rows,
		'The error of an item is a result only if the node goes on',
	);
});

test('each kind of operation with each failure', async () => {
	const rows = [];
	for (const one of combine({
		kind: KINDS,
		failure: FAILURES,
		handling: HANDLINGS,
		chat: CHATS,
	})) {
		const { kind, failure, handling, chat } = one;
		const isPlayed = handling !== 'error output' || chat === 'no chat';
		const differs = failure !== 'nothing' || handling === 'stop';
		if (isPlayed && differs)
			rows.push({ input: `${kind}, ${failure}, ${handling}, ${chat}`, outcome: await play(one) });
	}
	expectApproved(
		path.join(__dirname, 'run-operations.any-run.approved.txt'),
		rows,
		'Items run in order and in parallel as set, and each has its result or error',
	);
});
