/** The one error class of `lib`. */
import type { JsonRecord } from '../values/records';
import { omitUndefined } from '../values/records';
import { mask } from './mask';
import { getWrittenSecrets, NO_SECRETS } from './secrets';
import type { ErrorType } from './error-types';
import { isRetryable } from './error-types';
import type { KnownFacts, ValuePlace } from './facts';
import type { Failure, InputWords } from './failure';
import type { PartialToolCall } from './issues';
import { tell } from './tell';

/** How a response reports its error, besides its words. */
export interface ErrorReport {
	/**
	 * HTTP status of the response. A refusal inside of a response before any output counts as a response with its status; any
	 * other error there has that of the response, below 300.
	 */
	status: number;
	/** Whether the error is inside of a response with a status of success. */
	isInside?: true;
	/** The status in the error itself. Default: none. */
	innerStatus?: number;
	/** Type and code of the error, by which the server names it. */
	codes: readonly string[];
	/** Its codes or fields say that the prompt does not fit into the context. */
	isOfContext?: true;
	/** A proxy sent it: a page, or a status of a gateway. */
	isOfGateway: boolean;
}

/** There is no value, or it must be another one. */
export type InputProblem = 'empty' | 'wrong';

/** Output that was received before an error. */
export interface ReceivedOutput {
	text?: string;
	reasoning?: string;
	toolCalls?: readonly PartialToolCall[];
}

/** The parts of an error as data. */
type ServerErrorData = Omit<
	ServerError,
	| keyof Error
	| 'detail'
	| 'suggestion'
	| 'isServerText'
	| 'withPartial'
	| 'withField'
	| 'withFacts'
	| 'withCause'
	| 'asType'
	| 'copyWith'
>;

/** What an error is made of. Default: `retryable` by the type, no facts. */
export interface ServerErrorDetails extends Partial<ServerErrorData> {
	type: ErrorType;
}

/** What `investigate` found out. */
interface FoundCause {
	known: KnownFacts;
	/** The type that the facts show. Default: it stays. */
	type?: ErrorType;
	/** Further public details. */
	output?: JsonRecord;
}

/** Characters of a server message: as many as a detail has. */
export const MAX_SERVER_TEXT = 4_000;

/** Characters. The details of an error are stored in n8n's database, and a stream may have 512 MB. */
const MAX_PARTIAL_TEXT = 1_000_000;

/** A model that repeats itself writes hundreds. */
const MAX_PARTIAL_CALLS = 20;

/** Characters. The names of tools have at most 64. */
const MAX_PARTIAL_NAME = 200;

/**
 * The one error class of `lib`: a failure as data. `tell` words it where it leaves; `message`, `detail` and `suggestion` are what it
 * tells the owner.
 */
export class ServerError extends Error implements Failure {
	readonly type!: ErrorType;
	/** The type by the response alone, if facts have shown another one. */
	readonly reportedType?: ErrorType;
	/** What is known of its cause. Public details are apart, in `facts`. */
	readonly known!: KnownFacts;
	/** The first sentence of the server: the title, for who may read it. */
	readonly sentence?: string;
	/** The place in the request that the server names before it: `max_tokens`. */
	readonly place?: string;
	/** What stands before the title: the label of an option, or the number of a text. */
	readonly heading?: string;
	/** What is wrong with an input that was not sent, as the room that checks it says. */
	readonly inputWords?: InputWords;
	/** The resolved URL the request went to. Never contains a key. */
	readonly url?: string;
	/** HTTP status, if there was a response; for an error inside of one with a status of success, the status that the error names. */
	readonly status?: number;
	/** The server's own code or the network's, for example `conversation_completed` or `ECONNREFUSED`. */
	readonly code?: string;
	/**
	 * By its type, the server started nothing, so the same request may be sent again. An error inside of a response may have such a
	 * type as well.
	 */
	readonly retryable!: boolean;
	/** The server message, shortened to 4,000 characters, with "…" in it. */
	readonly serverText?: string;
	/** What the error is about, as users know it: the label of an option, or the name of a field in Extra Body. */
	readonly field?: string;
	/** Where the node has the values that the error is about. Default: in the field with the label `field`. */
	readonly places?: readonly ValuePlace[];
	/** A model has filled in one of these values: the node is its tool, and it can correct what it passed. */
	readonly isFilledByModel?: boolean;
	/** What is wrong with the value of `field`, if nothing was sent. */
	readonly inputProblem?: InputProblem;
	/** The same request was sent once more, and failed as well. */
	readonly wasSentTwice?: boolean;
	/** The service, if it is not a model server. */
	readonly service?: 'dify';
	/** The response showed that it is not that of a model server, and the suggestion says so. */
	readonly isOtherProgram?: boolean;
	/** The response begins like JSON, and cannot be read as such: it was cut, or broke. */
	readonly isBrokenJson?: boolean;
	/** Set if a response reported the error; undefined for what the node found out itself. */
	readonly report?: ErrorReport;
	/** Text that had arrived before the error, at most a million characters. */
	readonly partialText?: string;
	/** Reasoning that had arrived before the error. */
	readonly partialReasoning?: string;
	/** Tool calls that had arrived before the error. None of them was executed. */
	readonly partialToolCalls?: readonly PartialToolCall[];
	/** Public details as plain data, for example ids or token counts. */
	readonly facts!: JsonRecord;
	/** The result so far, in the caller's own type. Never shown. */
	readonly result?: unknown;

	constructor(details: ServerErrorDetails) {
		const data = {
			known: {},
			facts: {},
			retryable: isRetryable(details.type),
			...omitUndefined({ ...details }),
		};
		// Without a `cause`: an undici error would carry the request, and with it the key, into logs.
		super(tell({ ...data, type: details.type }, 'owner').title);
		this.name = 'ServerError';
		Object.assign(this, data);
		this.partialText = truncatePartial(details.partialText);
		this.partialReasoning = truncatePartial(details.partialReasoning);
		this.partialToolCalls = truncateCalls(details.partialToolCalls);
	}

	/** What happened in full, as the owner reads it. */
	get detail(): string {
		return tell(this, 'owner').detail;
	}

	/** What to do about it, as the owner reads it. */
	get suggestion(): string {
		return tell(this, 'owner').suggestion;
	}

	/** The title is a sentence of the server: only the owner of the workflow may read it. */
	get isServerText(): boolean {
		return this.sentence !== undefined;
	}

	/** The same error with the output received until then. What is empty keeps what the error has. */
	withPartial(partial: ReceivedOutput): ServerError {
		return this.copyWith({
			partialText: partial.text || this.partialText,
			partialReasoning: partial.reasoning || this.partialReasoning,
			partialToolCalls: partial.toolCalls?.length ? partial.toolCalls : this.partialToolCalls,
		});
	}

	/**
	 * The same error with what it is about: the label of an option, or the number of a text, stands before the title.
	 *
	 * @param places - Default: the field of the node with this label
	 */
	withField(field: string, places?: readonly ValuePlace[]): ServerError {
		return this.copyWith({ field, places, heading: field });
	}

	/** The same error, of which more is known. */
	withFacts(known: KnownFacts): ServerError {
		return this.copyWith({ known: { ...this.known, ...known } });
	}

	/** The same error with what was found out about its cause. */
	withCause({ known, type = this.type, output }: FoundCause): ServerError {
		return new ServerError({
			...this,
			type,
			reportedType: this.type,
			retryable: type === this.type ? this.retryable : isRetryable(type),
			known,
			facts: { ...this.facts, ...output },
		});
	}

	/** The same error once facts show that it is of another type: with the words of that type. The sentence of the server stays. */
	asType(type: ErrorType): ServerError {
		return this.copyWith({ type, inputWords: undefined });
	}

	/** The same error with other data. A new `type` also changes whether a retry is allowed. */
	copyWith(changes: Partial<ServerErrorData>): ServerError {
		const { type = this.type } = changes;
		const isTypeKept = type === this.type;
		return new ServerError({
			...this,
			retryable: isTypeKept ? this.retryable : isRetryable(type),
			reportedType: isTypeKept ? this.reportedType : undefined,
			...changes,
		});
	}
}

/** As a copy: a slice would keep all of the text in memory. */
function truncatePartial<T extends string | undefined>(text: T, max = MAX_PARTIAL_TEXT): T {
	if (text === undefined || text.length <= max) return text;
	return Buffer.from(`${text.slice(0, max - 1)}…`).toString() as T;
}

/** The limit of characters is that of all calls together. */
function truncateCalls(
	calls: readonly PartialToolCall[] | undefined,
): readonly PartialToolCall[] | undefined {
	const kept = calls?.slice(0, MAX_PARTIAL_CALLS);
	return kept?.map(({ name, arguments: args }) => ({
		name: truncatePartial(name, MAX_PARTIAL_NAME),
		arguments: truncatePartial(args, Math.floor(MAX_PARTIAL_TEXT / kept.length)),
	}));
}

/**
 * For the `catch` of a promise whose error is inspected, not passed on.
 *
 * @returns the same error
 * @throws any other error than a `ServerError`, unchanged
 */
export function asServerErrorOrThrow(error: unknown): ServerError {
	if (error instanceof ServerError) return error;
	throw error;
}

/** For `catch`: throws a `ServerError` as `explain` rewords it, and any other error unchanged. */
export function rethrowWith(
	explain: (error: ServerError) => ServerError,
): (error: unknown) => never {
	return (error) => {
		throw error instanceof ServerError ? explain(error) : error;
	};
}

/** What a model wrote, without secrets. */
export function maskPartial(
	text: string | undefined,
	secrets: readonly string[] = NO_SECRETS,
): string | undefined {
	return text === undefined ? undefined : mask(text, getWrittenSecrets(secrets));
}
