/** An exchange over the scripted transport. */
import { createServerError } from '../../../lib/errors/create-error';
import type { ExchangeResult } from '../../../lib/exchange/exchange';
import type { AttemptOutcome } from '../../../lib/exchange/types';
import { exchange } from '../../../lib/exchange/exchange';
import type { Attempt } from '../../../lib/exchange/attempt';
import type { CommonHttpOptions, ExchangeOptions } from '../../../lib/exchange/exchange';
import type { HttpResponse } from '../../../lib/http/types';
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { parseObject } from '../../../lib/values/json';
import type { JsonRecord } from '../../../lib/values/records';
import { transport } from './scripted-transport';
import type { Reply } from './scripted-transport';
import { NO_EXECUTION } from '../../support/n8n/node-host';
import { toSentRequest } from './sent-request';

/**
 * @param serverType as in the credential; `auto`: by its responses
 * @param executionId - Default: the server has a memory of its own.
 */
export const scriptedServer = (
	path = '',
	serverType = 'other',
	executionId?: string,
): ModelServer =>
	createModelServer(
		{ baseUrl: `http://model.test/${path}`, serverType },
		{ ...NO_EXECUTION, getExecutionId: () => executionId },
	);

interface Draft {
	fields: JsonRecord;
	corrections: number;
}

type ScriptedOptions = Omit<CommonHttpOptions, 'limits'> &
	Partial<
		Pick<
			ExchangeOptions<Draft, string>,
			'learningScope' | 'routes' | 'adaptations' | 'isRepeatable'
		>
	> &
	Pick<Attempt<Draft, string>, 'getPartialOutput' | 'getShownLength'>;

/** With two retries unless a test says otherwise. The text of an accepted response is `done`; of an unusable one without a further correction, `unusable`. `fields` may make them for each attempt. */
export async function runExchange(
	server: ModelServer,
	fields: JsonRecord | (() => JsonRecord),
	{
		getPartialOutput,
		getShownLength,
		learningScope = 'test',
		routes = ['openAiChat'],
		adaptations,
		isRepeatable,
		...http
	}: ScriptedOptions = {},
): Promise<ExchangeResult<Draft, string>> {
	transport.sent = [];
	return await exchange<Draft, string>(server, {
		learningScope,
		routes,
		draft: { fields: typeof fields === 'function' ? {} : fields, corrections: 0 },
		startAttempt: ({ draft }) => ({
			toBody: () => {
				const sent = typeof fields === 'function' ? fields() : draft.fields;
				return draft.corrections === 0 ? sent : { ...sent, corrections: draft.corrections };
			},
			getTextsOfOthers: (body) => toSentRequest(body).textsOfOthers,
			receiveOutcome: async (response) => await readReply(response, draft),
			getPartialOutput,
			getShownLength,
		}),
		isRepeatable,
		adaptations,
		http: { maxRetries: 2, limits: TASK_LIMITS.chat.received, ...http },
	});
}

async function readReply(
	response: HttpResponse,
	draft: Draft,
): Promise<AttemptOutcome<Draft, string>> {
	const { reply } = parseObject(await response.text()) as unknown as { reply: Reply };
	if (reply.type === 'usable') return { type: 'usable', value: 'done' };
	if (reply.type === 'correctable') {
		const correctedDraft = { ...draft, corrections: draft.corrections + 1 };
		const error = createServerError('invalidToolCall', {}, { partialText: 'correctable' });
		return { type: 'correctable', correctedDraft, outcomeIfUncorrected: { type: 'failed', error } };
	}
	const { errorType, text } = reply as Extract<Reply, { type: 'output' }>;
	throw createServerError(errorType, {}, { partialText: text });
}
