import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { chat, type ChatAnswer, type ChatOptions, type ConversationChoice } from '../../lib/dify/chat';
import { DifyError } from '../../lib/dify/failure';
import { appFileRules } from '../../lib/dify/files';
import { optionalUuid, traceIdOf } from '../../lib/dify/ids';
import { isFields } from '../../lib/dify/read';
import { DEFAULT_RUN_LIMITS, type RunLimits } from '../../lib/dify/run';
import { DifyApps, type DifyApp } from '../shared/dify/apps';
import { workOnItems } from '../shared/dify/items';
import { choiceOf, Parameters } from '../shared/dify/parameters';
import { takenFiles, uploadOf, wantedFiles } from './files';
import { inputsOf } from './inputs';
import { answerItem, type Extra } from './output';
import { ChatTyping, typesIntoChat } from './typing';

/** Sends the message of every item. */
export async function sendMessages(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const apps = new DifyApps(context);
	const { types, atOnce } = mannerOf(context);
	return await workOnItems(
		context,
		async (itemIndex, signal) => {
			const typing = types ? new ChatTyping(context, itemIndex) : undefined;
			return [await sendMessage(context, await apps.of(itemIndex), new Parameters(context, itemIndex), typing, signal)];
		},
		{
			// The chat shows the pieces of one node in one message: two answers at once would be mixed.
			atOnce: types ? 1 : atOnce,
			keyOf: (itemIndex) => conversationKey(new Parameters(context, itemIndex)),
			...(types
				? { onFailure: async (itemIndex: number, text: string) => await context.sendChunk('error', itemIndex, text) }
				: {}),
		},
	);
}

/** How the items are worked on, as the first of them says. What cannot be read fails again, and properly, where that item is worked on. */
function mannerOf(context: IExecuteFunctions): Manner {
	const isChat = typesIntoChat(context);
	try {
		const { types, atOnce } = mannerIn(new Parameters(context, 0));
		return { types: types && isChat, atOnce };
	} catch {
		return { types: isChat, atOnce: 1 };
	}
}

interface Manner {
	types: boolean;
	atOnce: number;
}

function mannerIn(parameters: Parameters): Manner {
	return {
		types: parameters.flag('enableStreaming', true),
		atOnce: Math.floor(parameters.number('itemsAtOnce', 1, 1, 64)),
	};
}

async function sendMessage(
	context: IExecuteFunctions,
	app: DifyApp,
	parameters: Parameters,
	typing: ChatTyping | undefined,
	signal: AbortSignal,
): Promise<INodeExecutionData> {
	const { user, itemIndex } = parameters;
	mannerIn(parameters);
	const output = {
		simplify: parameters.switched('simplify', true),
		answerField: parameters.textOption('answerField') ?? 'answer',
		include: extrasIn(parameters.option('include')),
	};
	const onPause = parameters.choiceOption('onPause', ['return', 'error']);
	const events: unknown[] = [];
	const wanted = await wantedFiles(context, itemIndex, filesIn(parameters.raw('files', {})));
	const request = {
		query: parameters.text('query'),
		user,
		conversation: conversationIn(parameters),
		workflowId: parameters.textOption('workflowId'),
		traceId: traceIdOf(parameters.option('traceId')),
		autoGenerateName:
			parameters.option('autoGenerateName') === undefined ? undefined : parameters.flag('autoGenerateName', true),
	};
	const options: ChatOptions = {
		signal,
		limits: limitsIn(parameters),
		retries: Math.floor(parameters.number('maxRetries', 2, 0, 10)),
		onStaleConversation: parameters.choiceOption('onStaleConversation', ['error', 'startNew']),
		hints: { wantAudio: output.include.includes('audio') },
		...(typing === undefined ? {} : { onDeltas: async (deltas) => await typing.show(deltas) }),
		...(output.include.includes('events') ? { onEvent: (event: unknown) => void events.push(event) } : {}),
	};
	await typing?.begin();
	const inputs = await inputsOf(context, parameters, app, signal);
	const appParameters = wanted.length === 0 ? {} : await app.parameters(signal);
	const files = takenFiles(wanted, appFileRules(appParameters), appParameters);
	const upload = uploadOf(app.client, user, signal);
	const answer = await chat(
		app.client,
		{ ...request, inputs: await inputs(upload), files: await upload(files) },
		options,
	);
	if (answer.result.status === 'paused' && onPause === 'error') throw pausedError(answer);
	await typing?.end();
	tell(context, answer);
	return await answerItem(context, itemIndex, answer, { ...output, events });
}

const CONVERSATIONS = ['new', 'latest', 'byId'] as const;

function conversationIn(parameters: Parameters): ConversationChoice {
	const choice = parameters.choice('conversation', CONVERSATIONS);
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
	const wanted = [value].flat().filter((extra) => extra !== undefined);
	return wanted.map((extra) => choiceOf('include', extra, EXTRAS));
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
			kind: 'runFailed',
			message: `The chatflow waits for a person${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
			remedy:
				'Answer the form in Dify, or set "When Workflow Pauses" to Return What There Is and go on with the forms in the item.',
			retryable: false,
		},
		{ result },
	);
}

/** What did not stop the run but should be known. */
function tell(context: IExecuteFunctions, { result, conversationRestarted }: ChatAnswer): void {
	const messages = [...result.warnings];
	if (conversationRestarted)
		messages.push('The conversation could not be continued, so a new one was started. Its ID is in the item.');
	if (result.status === 'stopped')
		messages.push('Somebody or a time limit of Dify stopped the run, so the answer may be incomplete.');
	for (const message of messages) context.addExecutionHints({ message, location: 'outputPane', type: 'warning' });
}
