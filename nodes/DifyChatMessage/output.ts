import type { IDataObject } from 'n8n-workflow';
import { parseOpenAiUsage } from '../../lib/chat/usage';
import type { ChatMessageResult } from '../../lib/dify/run/start-run';
import type { RunResult } from '../../lib/dify/types';
import { omitEmpty } from '../../lib/values';
import { toPlainObject, toSimpleForm } from '../shared/dify/run-output';

/** Optional parts of the item. */
export type IncludedPart = 'files' | 'sources' | 'thoughts' | 'workflow';

interface OutputOptions {
	simplify: boolean;
	answerField: string;
	/** The user of the message: later nodes need the same one. */
	user: string;
	include: readonly IncludedPart[];
	/** Whether the item is from a chat, which shows the field "output" of the last node. */
	isChat: boolean;
}

export function toItemJson(messageResult: ChatMessageResult, options: OutputOptions): IDataObject {
	const { result, conversationRestarted } = messageResult;
	return toPlainObject({
		...(options.simplify ? toSimplifiedJson(result, options) : toRawJson(result, options)),
		...(conversationRestarted && { conversationRestarted }),
		...toIncludedFields(result, options),
		...(options.isChat && { output: result.text }),
	});
}

/** The response, and what later nodes need. */
function toSimplifiedJson(result: RunResult, options: OutputOptions): object {
	const { conversationId, messageId, reasoning, files, status, workflowRunId, pause } = result;
	const answer = { [options.answerField]: result.text };
	return {
		...answer,
		conversationId,
		messageId,
		user: options.user,
		...omitEmpty({ reasoning, files }),
		usage: parseOpenAiUsage(result.usage),
		...(status !== 'succeeded' && { status }),
		// As in Dify Workflow, whose operations submit the forms and follow the run.
		...(pause && { workflowRunId, forms: pause.forms.map(toSimpleForm) }),
		// Twice: above, to be first; here, to replace another field with the same name.
		...answer,
	};
}

/** The result in Dify's fields, like a blocking response, plus the data of the stream. */
function toRawJson(result: RunResult, { user }: OutputOptions): object {
	return {
		event: result.status === 'paused' ? 'workflow_paused' : 'message',
		task_id: result.taskId,
		id: result.messageId,
		message_id: result.messageId,
		conversation_id: result.conversationId,
		workflow_run_id: result.workflowRunId,
		user,
		status: result.status,
		answer: result.text,
		metadata: result.metadata ?? {},
		files: result.files,
		...omitEmpty({ reasoning: result.reasoning }),
		created_at: result.createdAt,
		...(result.pause && {
			forms: result.pause.forms,
			data: { ...toSnakeCase(result.pause), forms: result.pause.forms.map(toSnakeCase) },
		}),
	};
}

function toSnakeCase(value: object): object {
	return Object.fromEntries(
		Object.entries(value).map(([name, field]: [string, unknown]) => [
			name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
			field,
		]),
	);
}

function toIncludedFields(result: RunResult, { include }: OutputOptions): object {
	return {
		...(include.includes('sources') && { sources: result.retrieverResources }),
		...(include.includes('thoughts') && { thoughts: result.thoughts }),
		...(include.includes('workflow') && { workflow: result.workflow }),
	};
}
