import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { chat, type ChatAnswer, type ChatOptions } from '../../lib/dify/chat';
import { difyFailure } from '../../lib/dify/failure';
import { appFileRules } from '../../lib/dify/files';
import type { ServerError } from '../../lib/errors/server-error';
import { failuresToChat } from '../shared/run/chat-typing';
import { DifyApps, type DifyApp } from '../shared/dify/apps';
import { userIn } from '../shared/dify/ids';
import { inputFields, inputsOf } from '../shared/dify/inputs';
import { workOnDifyItems } from '../shared/dify/items';
import { filesField, takenFiles, uploadOf, wantedFiles } from '../shared/dify/run-files';
import { readWork, simplifyField, workFor } from '../shared/dify/run-options';
import { AnswerTyping } from '../shared/dify/typing';
import { NodeParameters } from '../shared/parameters';
import { conversationIn, conversationKey, messageFields } from './message';
import { optionsField, readOptions } from './options';
import { answerItem } from './output';

export const properties: INodeProperties[] = [
	...messageFields,
	...inputFields,
	filesField,
	simplifyField,
	optionsField,
];

/** Sends the message of every item. */
export async function sendMessages(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const apps = new DifyApps(context);
	const parametersOf = (itemIndex: number) => new NodeParameters(context, itemIndex, properties);
	const { types, atOnce } = workFor(context, parametersOf(0));
	return await workOnDifyItems(
		context,
		async (itemIndex, signal) => {
			const typing = types ? new AnswerTyping(context, itemIndex) : undefined;
			return [await sendMessage(context, await apps.of(itemIndex), parametersOf(itemIndex), typing, signal)];
		},
		{
			atOnce,
			keyOf: (itemIndex) => conversationKey(parametersOf(itemIndex)),
			...(types ? failuresToChat(context) : {}),
		},
	);
}

async function sendMessage(
	context: IExecuteFunctions,
	app: DifyApp,
	parameters: NodeParameters,
	typing: AnswerTyping | undefined,
	signal: AbortSignal,
): Promise<INodeExecutionData> {
	const user = userIn(parameters);
	readWork(parameters);
	const { answerField, autoGenerateName, include, limits, maxRetries, onPause, onStaleConversation, ...ids } =
		readOptions(parameters);
	const output = { simplify: parameters.flag('simplify'), answerField, user, include };
	const events: unknown[] = [];
	const wanted = await wantedFiles(context, parameters);
	const request = {
		query: parameters.freeText('query'),
		user,
		conversation: conversationIn(parameters),
		autoGenerateName,
		...ids,
	};
	const options: ChatOptions = {
		signal,
		limits,
		retries: maxRetries,
		onStaleConversation,
		hints: { wantAudio: include.includes('audio') },
		...(typing === undefined ? {} : { onDeltas: async (deltas) => await typing.show(deltas) }),
		...(include.includes('events') ? { onEvent: (event: unknown) => void events.push(event) } : {}),
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
	return await answerItem(context, parameters.itemIndex, answer, { ...output, events });
}

function pausedError({ result }: ChatAnswer): ServerError {
	const titles = result.pause?.forms.map(({ nodeTitle }) => nodeTitle).filter((title) => title !== undefined) ?? [];
	return difyFailure('runFailed', {
		status: 200,
		message: `The chatflow waits for a person${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
		remedy:
			'Answer the form in Dify, or set "When Workflow Pauses" to Return What There Is and go on with the forms in the item.',
		result,
	});
}

/** Remarks on a run that succeeded. */
function tell(context: IExecuteFunctions, { result, conversationRestarted }: ChatAnswer): void {
	const messages = [...result.warnings];
	if (conversationRestarted)
		messages.push('The conversation could not be continued, so a new one was started. Its ID is in the item.');
	for (const message of messages) context.addExecutionHints({ message, location: 'outputPane', type: 'warning' });
}
