/**
 * The words of a failure, once, where it leaves. Who may read the sentence of a server, and an address, is decided here and nowhere
 * else. Synchronous and pure. An error of an agent's second round gets its words so:
 *
 * 1. Door: `classify-error.ts` (a response, or an event of one), `network-error.ts` (a connection) or `createInputError` (a field) find
 *    its type and the server's first sentence, masked; `create-error.ts` adds the facts of the place.
 * 2. `lib/exchange/exchange.ts` may send a changed request; if that fails too, it throws the error that names the cause.
 * 3. `lib/chat/turn-error.ts` knows the round: what its prompt consists of, its tools, its files, whether text was shown. It calls
 *    `investigate`, which asks for the facts that a row of the table needs, row by row, until one tells. These facts stay on the error.
 * 4. `table.ts`: of the causes (`CAUSES`) and of what the node found out itself (`FOUND`), each the first row of `chapters/` whose
 *    facts are all known. It gives words for exactly these facts, or none; those of the cause count more.
 * 5. No row: the advice of the server type (`chapters/server-texts.ts`), then the last row of the type (`rows/`), which may be none.
 * 6. `tell`, where the error leaves: item, panel, chat, trace, tool. The title is the server's sentence for who may read it.
 *
 * What is wrong with an input, the room that checks it says itself (`inputWords`): this sentence stands in the place of step 5.
 */
import { formatDuration } from '../values/duration';
import { omitUndefined } from '../values/records';
import { truncateMiddle } from '../values/text';
import { describeFailedNode, describeFormField } from './chapters/dify';
import { describeNamedFile } from './chapters/files';
import type { Row, Words } from './chapters/row';
import { SERVER_TEXTS } from './chapters/server-texts';
import { getErrorText, isClosedConnection, isRequestError, isUnknownError } from './error-types';
import type { Facts, KnownFacts } from './facts';
import type { Failure } from './failure';
import { getKnownFacts } from './failure';
import { join, withPeriod } from './sentences';
import { CAUSES, FOUND, TABLE } from './table';

/**
 * Who reads it: the owner of the workflow (the error of a node, an item, his chat, a finding), a model whose tool failed, a trace,
 * a credential test. What visitors of a chat read names no failure (`lib/n8n/visitor-message.ts`).
 */
export type Reader = 'owner' | 'model' | 'trace' | 'credentialTest';

/** What a reader may read, besides a title in our words. */
interface Rights {
	/** What the server wrote. */
	sentence: boolean;
	/** The URL of the request. */
	address: boolean;
}

/** The only place that decides it. */
export const RIGHTS: Readonly<Record<Reader, Rights>> = {
	owner: { sentence: true, address: true },
	// It may repeat what it reads to any user.
	model: { sentence: false, address: false },
	trace: { sentence: false, address: false },
	credentialTest: { sentence: false, address: false },
};

/** What a reader gets to read. */
export interface Told {
	/** What happened in a few words, without the URL and without a full stop. */
	title: string;
	/** What happened in full; the title, if that is all. */
	detail: string;
	/** What to do about it; empty: nothing is known. */
	suggestion: string;
}

/** Characters. A notification shows the title. */
const MAX_TITLE_LENGTH = 1000;
const MAX_DETAIL_LENGTH = 4000;

/** Behind any advice: the failure is no chance. */
const BOTH_TRIES = 'A second try failed as well.';

/** Behind any advice: the same request again might start a second run. */
const CHECK_LOGS =
	'A run may have started: check the logs of the app before you send the request again.';

const TOOL_UNAVAILABLE_TEXT =
	'The service behind this tool is unavailable. Do not call it again now; tell the user that it is not available.';

const TOOL_REJECTED_TEXT =
	'The service behind this tool rejected the request. Do not send the same request again; tell the user that it was rejected.';

/** What is told about a failure. */
export function tell(failure: Failure, reader: Reader): Told {
	if (reader === 'model') return tellModel(failure);
	const told = tellWithSentence(failure);
	return RIGHTS[reader].sentence || failure.sentence === undefined
		? told
		: withOwnTitle(told, failure);
}

/** A row that tells, and its words. */
export interface TellingRow {
	row: Row;
	words: Words;
}

/**
 * The first row whose facts are all known, and that has words.
 *
 * @param table - Default: all rows.
 */
export function findRow(failure: Failure, table: readonly Row[] = TABLE): TellingRow | undefined {
	const known = getKnownFacts(failure);
	for (const row of table) {
		const words = tellRow(row, failure, known);
		if (words !== undefined) return { row, words };
	}
	return undefined;
}

/** The words of a row; undefined if it does not apply. */
export function tellRow(row: Row, failure: Failure, known: KnownFacts): Words | undefined {
	const { type, reportedType = type } = failure;
	const { types, needs } = row;
	if (!types.includes(reportedType) || needs.some((name) => known[name] === undefined))
		return undefined;
	const facts = Object.fromEntries(needs.map((name) => [name, known[name]]));
	const words = row.tell(facts as unknown as Facts, tellGeneral(failure).suggestion);
	return typeof words === 'string' ? { suggestion: words } : words;
}

/** The words of the type, with the advice of the type of the server. */
function tellGeneral({ type, known, inputWords }: Failure) {
	const general = getErrorText(type, known);
	const { serverType } = known;
	const ofServer = serverType && SERVER_TEXTS[serverType].suggestions?.[type];
	return { ...general, suggestion: inputWords?.suggestion ?? ofServer ?? general.suggestion };
}

function tellWithSentence(failure: Failure): Told {
	const { sentence, place, heading, inputWords, wasSentTwice, known } = failure;
	const general = tellGeneral(failure);
	const words = {
		...findRow(failure, FOUND)?.words,
		...omitUndefined(findRow(failure, CAUSES)?.words ?? {}),
	};
	const said = sentence === undefined ? undefined : withHeading(sentence, place);
	const ownTitle = said ?? words.title ?? inputWords?.title;
	const bareTitle = ownTitle ?? withOpenDuration(general.title, failure);
	const title = withHeading(bareTitle, heading);
	const ownDetail =
		words.detail ??
		inputWords?.detail ??
		getSaid(failure) ??
		getPlaced(failure) ??
		(ownTitle === undefined ? general.detail : undefined);
	const detail = withDifyFacts(
		describeRefusedText(ownDetail ?? bareTitle, known) ??
			withRefusedTexts(ownDetail ?? title, known),
		known,
	);
	const advice = words.suggestion ?? general.suggestion;
	return {
		title: tidy(title, MAX_TITLE_LENGTH),
		detail: tidy(withSentFiles(detail, known), MAX_DETAIL_LENGTH),
		suggestion: join(
			describePauses(known),
			advice,
			known.mayHaveStarted && CHECK_LOGS,
			wasSentTwice === true ? BOTH_TRIES : undefined,
		),
	};
}

/** A closed connection with the time that it was open: that of a proxy's limit tells it from a crash. */
function withOpenDuration(title: string, { type, known: { openMs } }: Failure) {
	if (openMs === undefined || !isClosedConnection(type)) return title;
	return `${title} (after ${formatDuration(openMs)})`;
}

/** What became of a request that a busy server refused; undefined if it was not sent again. */
function describePauses({ refusedForMs, requestedPauseMs }: KnownFacts): string | undefined {
	if (refusedForMs !== undefined)
		return `The request was sent again for ${formatDuration(refusedForMs)}, and refused each time.`;
	return requestedPauseMs === undefined
		? undefined
		: `The server requires a wait of ${formatDuration(requestedPauseMs)} (Retry-After), so the request was not retried.`;
}

/** All that Dify said: its errors have one message, of which the title is the first sentence. */
function getSaid({ sentence, serverText, known: { service } }: Failure): string | undefined {
	return sentence === undefined || service !== 'dify' ? undefined : serverText;
}

/** The sentence with the place that the server names, if the title has the label of an option instead. */
function getPlaced({ sentence, known: { labelledPlace } }: Failure): string | undefined {
	return sentence === undefined || labelledPlace === undefined
		? undefined
		: withHeading(sentence, labelledPlace);
}

/** With what the form of an app or the events of a run say of the place: a message of Dify names only a variable, or nothing. */
function withDifyFacts(detail: string, { formField, failedNode }: KnownFacts): string {
	if (formField !== undefined) return `${detail} (${describeFormField(formField)})`;
	return failedNode === undefined
		? detail
		: `${withPeriod(detail)} The node ${describeFailedNode(failedNode)} failed in Dify`;
}

/** With the files that the error may be about: server messages seldom name them. */
function withSentFiles(detail: string, { sentFiles }: KnownFacts): string {
	if (sentFiles === undefined) return detail;
	const label = sentFiles.length === 1 ? 'File' : 'Files';
	return `${withPeriod(detail)} ${label} sent: ${sentFiles.map(describeNamedFile).join(', ')}`;
}

function withHeading(title: string, heading: string | undefined) {
	return heading === undefined ? title : `${heading}: ${title}`;
}

/** With the number of texts that show that the server refuses everything. */
function withRefusedTexts(detail: string, { refusedTexts }: KnownFacts): string {
	return refusedTexts === undefined
		? detail
		: `${detail}. The server refused ${refusedTexts} texts, each sent alone, and accepted no other, so it is not about one text`;
}

/** The text that the server refuses alone, with the reason. Its number is not repeated. */
function describeRefusedText(
	reason: string,
	{ refusedText, textNoun }: KnownFacts,
): string | undefined {
	if (refusedText === undefined || textNoun === undefined) return undefined;
	const { index, beginning } = refusedText;
	const name = textNoun.toLowerCase();
	return `The server accepts other ${name}s, but not ${name} ${index + 1} ("${beginning}"): ${reason}`;
}

/** With the title of the type in place of the sentence of a server. */
function withOwnTitle({ suggestion }: Told, { type, known: { service } }: Failure): Told {
	const { title } = getErrorText(type, { service });
	return { title, detail: title, suggestion };
}

/** No address, and no words of a server but what it says of a field that the model fills in, and can correct. */
function tellModel(failure: Failure): Told {
	const { type, field, sentence, isFilledByModel } = failure;
	if (!isRequestError(type)) return toOnlyTitle(TOOL_UNAVAILABLE_TEXT);
	const told = tellWithSentence(failure);
	const isOfServer = sentence !== undefined;
	const isCorrectable = field !== undefined && (!isOfServer || isFilledByModel === true);
	if (isCorrectable) return { ...told, detail: told.title };
	// A value of the author, or a reason that only the sentence says
	if (field !== undefined || isUnknownError(type)) return toOnlyTitle(TOOL_REJECTED_TEXT);
	return isOfServer ? withOwnTitle(told, failure) : told;
}

function toOnlyTitle(title: string): Told {
	return { title, detail: title, suggestion: '' };
}

/** A sentence without the gaps that unknown facts leave in it. It may quote a value of any length. */
function tidy(sentence: string, maxLength: number) {
	return truncateMiddle(sentence, maxLength).replace(/ {2,}/g, ' ').replace(/ $/, '');
}
