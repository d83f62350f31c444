import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { chat, type ChatAnswer, type ConversationChoice } from '../../lib/dify/chat';
import { DifyError } from '../../lib/dify/failure';
import { appFileRules } from '../../lib/dify/files';
import { optionalUuid, traceIdOf } from '../../lib/dify/ids';
import { isFields } from '../../lib/dify/read';
import { DEFAULT_RUN_LIMITS, type RunLimits } from '../../lib/dify/run';
import { DifyApps, type DifyApp } from '../dify/apps';
import { workOnItems } from '../dify/items';
import { Parameters } from '../dify/parameters';
import { sentFiles, wantedFiles } from './files';
import { inputsOf } from './inputs';
import { answerItem, type Extra } from './output';
import { ChatTyping, typesIntoChat } from './typing';

/** Sends the message of every item. */
export async function sendMessages(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const apps = new DifyApps(context);
	const first = new Parameters(context, 0);
	const types = typesIntoChat(context) && first.flag('enableStreaming', true);
	return await workOnItems(
		context,
		async (itemIndex, signal) => {
			const typing = types ? new ChatTyping(context, itemIndex) : undefined;
			return [await sendMessage(context, await apps.of(itemIndex), new Parameters(context, itemIndex), typing, signal)];
		},
		{
			// The chat shows the pieces of one node in one message: two answers at once would be mixed.
			atOnce: types ? 1 : Math.floor(first.number('itemsAtOnce', 1, 1)),
			keyOf: (itemIndex) => conversationKey(new Parameters(context, itemIndex)),
			...(types ? { onFailure: async (itemIndex: number, text: string) => await context.sendChunk('error', itemIndex, text) } : {}),
		},
	);
}

async function sendMessage(context: IExecuteFunctions, app: DifyApp, parameters: Parameters, typing: ChatTyping | undefined, signal: AbortSignal): Promise<INodeExecutionData> {
	const { user, itemIndex } = parameters;
	const include = extrasIn(parameters.option('include'));
	const events: unknown[] = [];
	const wanted = await wantedFiles(context, itemIndex, filesIn(parameters.raw('files', {})));
	const request = {
		query: parameters.text('query'),
		user,
		conversation: conversationIn(parameters),
		workflowId: parameters.textOption('workflowId'),
		traceId: traceIdOf(parameters.option('traceId')),
		autoGenerateName: parameters.option('autoGenerateName') === undefined ? undefined : parameters.flag('autoGenerateName', true),
	};
	await typing?.begin();
	const inputs = await inputsOf(context, parameters, app, user, signal);
	const appParameters = wanted.length === 0 ? {} : await app.parameters(signal);
	const files = wanted.length === 0 ? [] : await sentFiles(app.client, user, wanted, appFileRules(appParameters), appParameters, signal);
	const answer = await chat(
		app.client,
		{ ...request, inputs, files },
		{
			signal,
			limits: limitsIn(parameters),
			retries: Math.floor(parameters.number('maxRetries', 2)),
			onStaleConversation: parameters.option('onStaleConversation') === 'startNew' ? 'startNew' : 'error',
			hints: { wantAudio: include.includes('audio') },
			...(typing === undefined ? {} : { onDeltas: async (deltas) => await typing.show(deltas) }),
			...(include.includes('events') ? { onEvent: (event: unknown) => void events.push(event) } : {}),
		},
	);
	if (answer.result.status === 'paused' && parameters.option('onPause') === 'error') throw pausedError(answer);
	await typing?.end();
	tell(context, answer);
	return await answerItem(context, itemIndex, answer, {
		simplify: parameters.raw('simplify', true) !== false,
		answerField: parameters.textOption('answerField') ?? 'answer',
		include,
		events,
	});
}

function conversationIn(parameters: Parameters): ConversationChoice {
	const choice = parameters.raw('conversation', 'new');
	if (choice === 'latest') return { kind: 'latest' };
	const id = choice === 'byId' ? optionalUuid(parameters.located('conversationId'), 'conversation ID') : undefined;
	return id === undefined ? { kind: 'new' } : { kind: 'id', id };
}

/** Messages of one conversation go in their order: the second must see the first. */
function conversationKey(parameters: Parameters): string | undefined {
	const choice = parameters.raw('conversation', 'new');
	if (choice === 'latest') return `latest ${parameters.text('user')}`;
	const id = choice === 'byId' ? parameters.located('conversationId') : undefined;
	return typeof id === 'string' && id.trim() !== '' ? id.trim().toLowerCase() : undefined;
}

function filesIn(collection: unknown): unknown {
	return isFields(collection) ? collection.file : undefined;
}

const EXTRAS: readonly Extra[] = ['audio', 'events', 'reasoning', 'thoughts', 'workflow'];

function extrasIn(value: unknown): Extra[] {
	return EXTRAS.filter((extra) => [value].flat().includes(extra));
}

function limitsIn(parameters: Parameters): RunLimits {
	return {
		firstByteMs: parameters.milliseconds('firstByteLimit') ?? DEFAULT_RUN_LIMITS.firstByteMs,
		idleMs: parameters.milliseconds('idleLimit') ?? DEFAULT_RUN_LIMITS.idleMs,
		progressMs: parameters.milliseconds('progressLimit') ?? DEFAULT_RUN_LIMITS.progressMs,
		totalMs: parameters.milliseconds('totalLimit') ?? DEFAULT_RUN_LIMITS.totalMs,
	};
}

function pausedError({ result }: ChatAnswer): DifyError {
	const titles = result.pause?.forms.map(({ nodeTitle }) => nodeTitle).filter((title) => title !== undefined) ?? [];
	return new DifyError(
		{
			status: 200,
			kind: 'run-failed',
			message: `The chatflow waits for a person${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
			remedy: 'Answer the form in Dify, or set "When Workflow Pauses" to Return What There Is and go on with the forms in the item.',
			retryable: false,
		},
		{ result },
	);
}

/** What did not stop the run but should be known. */
function tell(context: IExecuteFunctions, { result, conversationRestarted }: ChatAnswer): void {
	const messages = [...result.warnings];
	if (conversationRestarted) messages.push('The conversation could not be continued, so a new one was started. Its ID is in the item.');
	if (result.status === 'stopped') messages.push('Somebody or a time limit of Dify stopped the run, so the answer may be incomplete.');
	for (const message of messages) context.addExecutionHints({ message, location: 'outputPane', type: 'warning' });
}
