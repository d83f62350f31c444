/** Which responses are played to which operations. */
import type { Row, Subject, Times } from './play';
import type { ErrorResponse } from './play';

/** One operation for each kind of request. The others get one response for each status. */
const KINDS: ReadonlySet<string> = new Set([
	'Local Llama text chat',
	'Local Llama text extract',
	'Local Llama text complete',
	'Local Llama vector embed',
	'Local Llama vector rerank',
	'Local Llama image generate',
	'Local Llama audio transcribe',
	'Local Llama model getAll',
	'LocalChatModel streamed',
	'LocalEmbeddings documents',
	'Server Health modelServer check',
	'Dify Chat Message',
	'Dify Apps text generate',
	'Dify Apps audio transcribe',
	'Dify Apps file upload',
	'Dify Conversation message getAll',
	'Dify Workflow run execute',
	'Dify Workflow form submit',
	'Dify Knowledge knowledgeBase retrieve',
	'Dify Knowledge document upsertText',
	'Dify Knowledge chunk update',
	'DifyRetriever query',
]);

/**
 * A Dify run or change is never sent twice, so nothing follows a first failure. Health tests send several requests at the
 * same time, so any of them may be the one that fails.
 */
const getTimes = ({ service, place }: ErrorResponse, { operation }: Subject): Times[] =>
	service === 'dify' || place !== undefined || operation.node.startsWith('ServerHealth')
		? ['always']
		: ['once', 'always'];

/** These wait for a model as long as they may take in all, so the clock decides which of both limits they report. */
const isOfTwoLimits = ({ body }: ErrorResponse, { operation }: Subject): boolean =>
	/ (?:toolTest|model delete|model load)$/.test(operation.name) && /\bloading\b/i.test(body);

/** All rows: every response at one operation of each kind, and every operation with one response of each status. */
export function listRows(responses: readonly ErrorResponse[], subjects: readonly Subject[]): Row[] {
	const statuses = new Set<string>();
	const isFirstOfStatus = ({ service, status, place }: ErrorResponse): boolean => {
		const key = `${service} ${status} ${place}`;
		const isFirst = !statuses.has(key);
		statuses.add(key);
		return isFirst;
	};
	return responses.flatMap((response) => {
		const isForAll = isFirstOfStatus(response);
		return subjects
			.filter(({ operation }) => operation.service === response.service)
			.filter(({ operation }) => isForAll || KINDS.has(operation.name))
			.filter((subject) => !isOfTwoLimits(response, subject))
			.flatMap((subject) =>
				getTimes(response, subject).map((times): Row => ({ response, subject, times })),
			);
	});
}

/** Prime, so that each response meets other operations. */
const EACH = 37;

/** The rows of `npm test`. */
export const selectRows = (rows: readonly Row[]): Row[] =>
	rows.filter((_, index) => index % EACH === 0);

/** Operations that a public response may be about, in turn. */
const PUBLIC_KINDS = [
	'Local Llama text chat',
	'Local Llama text extract',
	'LocalChatModel streamed',
	'Local Llama vector embed',
	'Local Llama text complete',
	'Local Llama vector rerank',
	'Local Llama audio transcribe',
];

/** Each public response at one operation, failing once and always in turn. */
export function listPublicRows(
	responses: readonly ErrorResponse[],
	subjects: readonly Subject[],
): Row[] {
	const kinds = PUBLIC_KINDS.map((name) =>
		subjects.find(({ operation }) => operation.name === name)!,
	);
	return responses.map((response, index) => ({
		response,
		subject: kinds[index % kinds.length]!,
		times: index % 2 === 0 ? 'once' : 'always',
	}));
}
