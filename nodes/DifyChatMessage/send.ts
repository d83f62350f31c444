import { chat } from '../../lib/dify/run/chat';
import { difyExecute } from '../shared/dify/description';
import { userIn } from '../shared/dify/ids';
import { inputFields } from '../shared/dify/inputs';
import { filesField } from '../shared/dify/run-files';
import { reportRun, type DifyCall, type DifyOperation } from '../shared/dify/run';
import { simplifyField } from '../shared/dify/run-options';
import { pausedError, runRequest } from '../shared/dify/run-request';
import type { OperationItem, OperationTable } from '../shared/run/operations';
import { NodeParameters } from '../shared/parameters';
import { conversationIn, conversationKey, messageFields } from './message';
import { optionFields, readOptions } from './options';
import { answerItem } from './output';

const fields = [...messageFields, ...inputFields, filesField, simplifyField, ...optionFields];

/** The one operation of the node, which has no list of them. */
const send: DifyOperation = {
	option: { name: 'Send', value: 'send' },
	fields,
	run: async (call) => [await sendMessage(call)],
};

export const operations: OperationTable<DifyOperation> = {
	properties: fields,
	operationOf: () => send,
};

/** Messages of one conversation go one after another. */
export const sendMessages = difyExecute(operations, (context, itemIndex) =>
	conversationKey(new NodeParameters(context, itemIndex, fields)),
);

async function sendMessage(call: DifyCall): Promise<OperationItem> {
	const { parameters, typing } = call;
	const user = userIn(parameters);
	const {
		answerField,
		autoGenerateName,
		include,
		limits,
		retries,
		onPause,
		onStaleConversation,
		...ids
	} = readOptions(parameters);
	const simplify = parameters.flag('simplify');
	const query = parameters.freeText('query');
	const conversation = conversationIn(parameters);
	await typing?.begin();
	const request = {
		query,
		conversation,
		autoGenerateName,
		...ids,
		...(await runRequest(call, user)),
	};
	const answer = await chat(call.client, request, {
		onDeltas: typing?.show,
		limits,
		retries,
		onStaleConversation,
	});
	const { result, conversationRestarted } = answer;
	if (result.status === 'paused' && onPause === 'error') throw pausedError('chatflow', result);
	await typing?.end();
	reportRun(call, result);
	if (conversationRestarted)
		call.hint(
			'The conversation could not be continued, so a new one was started. Its ID is in the item.',
		);
	return answerItem(answer, { simplify, answerField, user, include });
}
