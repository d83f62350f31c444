/** The probabilities of the tokens of a response, if they were requested. */
import { asNonEmptyString, asRecord, asRecords } from '../../values/records';

/** A token that the model could have chosen. */
export interface TokenOption {
	token: string;
	/** The logarithm of its probability; undefined if the server sends none. */
	logprob?: number;
}

/** A token of the response, with the field name of OpenAI's API. */
export interface TokenLogprob extends TokenOption {
	/** The most likely tokens at its place, as many as were requested. */
	top_logprobs: TokenOption[];
}

/** More tokens than a response has for which probabilities are requested: its labels, and a little thinking. */
const MAX_TOKENS = 8_192;

/** The maximum of OpenAI's API. */
const MAX_OPTIONS = 20;

/** Characters of a token. */
const MAX_TOKEN_LENGTH = 1_000;

/** Collects the tokens of a stream: only what is read of them, and none of a response with far too many. */
export class LogprobList {
	private readonly list: TokenLogprob[] = [];
	private hasTooMany = false;

	/** Empty if the response has too many: without a part of them, the places of the others are unknown. */
	get tokens(): TokenLogprob[] {
		return this.hasTooMany ? [] : this.list;
	}

	/** @param logprobs OpenAI's `logprobs`, with the tokens in `content` */
	add(logprobs: unknown): void {
		for (const entry of asRecords(asRecord(logprobs).content)) {
			this.hasTooMany ||= this.list.length >= MAX_TOKENS;
			if (this.hasTooMany) return;
			const top_logprobs = asRecords(entry.top_logprobs).slice(0, MAX_OPTIONS).map(toOption);
			this.list.push({ ...toOption(entry), top_logprobs });
		}
	}
}

function toOption({ token, logprob }: Record<string, unknown>): TokenOption {
	return {
		token: (asNonEmptyString(token) ?? '').slice(0, MAX_TOKEN_LENGTH),
		...(typeof logprob === 'number' && { logprob }),
	};
}
