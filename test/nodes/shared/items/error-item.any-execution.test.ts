/** What owners, visitors and models read of an error, in every way to start an execution and to go on after an error. */
import { NodeOperationError } from 'n8n-workflow';
import type { INode, WorkflowExecuteMode } from 'n8n-workflow';

import { createServerError } from '../../../../lib/errors/create-error';
import { toNodeError } from '../../../../lib/errors/node-error';
import { toErrorItem } from '../../../../nodes/shared/items/error-item';
import { stripTitle, toPollError, toShownError } from '../../../../lib/n8n/shown-error';
import { getVisitorMessage } from '../../../../lib/n8n/visitor-message';
import type { Execution } from '../../../../lib/n8n/visitor-message';
import { expectApproved } from '../../../support/approved/approved-table';
import { combine, describeNodeError, withoutWords } from '../../../support/approved/outcome';
import path from 'node:path';

const MODES = [
	'manual',
	'retry',
	'evaluation',
	'cli',
	'webhook',
	'chat',
	'trigger',
	'integrated',
	'error',
	'internal',
] as const;
const CHAT_TRIGGER = '@n8n/n8n-nodes-langchain.chatTrigger';

const toNode = (type: string, onError?: INode['onError']): INode =>
	({
		id: '1',
		name: 'Node',
		type,
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
		onError,
	}) as INode;

interface Setup {
	mode: WorkflowExecuteMode;
	streams: boolean | undefined;
	/** The Chat Trigger of the workflow: none, one that started it, or one that did not. */
	chat: 'none' | 'started' | 'other';
	/** The trigger of the first workflow. */
	first?: string;
	type?: string;
	parent?: Partial<INode>;
}

const toExecution = ({
	mode,
	streams,
	chat,
	first,
	type = 'n',
	parent,
}: Setup): Execution & { getNode(): INode } =>
	({
		getMode: () => mode,
		getExecutionId: () => '42',
		getNode: () => toNode(type),
		...(streams !== undefined && { isStreaming: () => streams }),
		...(first !== undefined && {
			getExecutionContext: () => ({ triggerNode: { name: 'T', type: first } }),
		}),
		getChatTrigger: () => (chat === 'none' ? null : toNode(CHAT_TRIGGER)),
		evaluateExpression: () => chat === 'started',
		...(parent && { parentNode: { ...toNode('parent'), ...parent } }),
	}) as unknown as Execution & { getNode(): INode };

const createReason = () =>
	createServerError(
		'serverError',
		{ url: 'http://secret-host:8080/v1' } as never,
		{
			inputWords: {
				title: 'No memory',
				detail: 'The GPU at http://secret-host has no memory',
				suggestion: 'Use a smaller model.',
			},
			status: 500,
			partialText: 'Once upon',
		} as never,
	);

test('whether visitors read an error: each mode, stream and trigger', () => {
	const setups = combine({
		mode: MODES,
		streams: [undefined, true, false],
		chat: ['none', 'started', 'other'] as const,
	});
	const subWorkflows = [CHAT_TRIGGER, 'n8n-nodes-base.webhook'].map((first) => ({
		...{ mode: 'integrated', streams: false, chat: 'none', first },
	})) as Setup[];
	const rows = [...setups, ...subWorkflows].map((setup: Setup) => ({
		input: JSON.stringify(setup),
		outcome: getVisitorMessage(toExecution(setup)) ?? 'the owner only',
	}));
	expectApproved(
		path.join(__dirname, 'error-item.any-execution.visitors.approved.txt'),
		rows,
		'A visitor never reads what is for the owner',
	);
});

test('the error that n8n shows, and the item of a node that goes on', () => {
	const setups = combine({
		mode: ['manual', 'webhook', 'chat', 'integrated'] as const,
		streams: [undefined, true, false],
		chat: ['none', 'started'] as const,
		type: ['n', 'localLlamaTool'],
		parent: [undefined, { onError: 'continueRegularOutput' as const }],
	}).filter(({ parent, mode }) => parent === undefined || mode !== 'manual');
	const shown = setups.map((setup) => {
		const reason = createReason();
		const node = toNode(setup.type);
		const shownError = toShownError(toExecution(setup), toNodeError(node, reason), reason);
		const { message, context } = shownError;
		return {
			input: `shown ${JSON.stringify(setup)}`,
			outcome: [
				describeNodeError(shownError),
				// The words of the error itself are for its owner.
				message === reason.message ? 'its title' : 'another title',
				...(context.descriptionTemplate === undefined ? [] : ['a text in the panel']),
			].join(' | '),
		};
	});
	const items = combine({
		onError: ['continueRegularOutput', 'continueErrorOutput'] as const,
		visitorMessage: [undefined, 'Ask the owner.'],
		type: ['n', 'localLlamaTool'],
		facts: [undefined, { action: 'failed' }],
	}).map(({ onError, visitorMessage, type, facts }) => {
		const error = toNodeError(toNode(type, onError), createReason());
		return {
			input: `item ${JSON.stringify({ onError, visitorMessage, type, facts })}`,
			outcome: withoutWords(toErrorItem(error, { itemIndex: 3, facts, visitorMessage })),
		};
	});
	const texts = [
		'Title',
		'Title. More',
		'Title: more',
		'Titled more',
		'Title',
		'',
		undefined,
		'Other',
	].map((description, at) => {
		const error = new NodeOperationError(toNode('n'), 'Title', { description });
		return {
			input: `description ${at} ${description}`,
			outcome: `${String(stripTitle({ message: 'Title', description }))} | ${String(toPollError(error).description)}`,
		};
	});
	expectApproved(
		path.join(__dirname, 'error-item.any-execution.approved.txt'),
		[...shown, ...items, ...texts],
		'Owner, visitor and model each read their own error',
	);
});
