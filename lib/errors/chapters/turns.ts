/** The chapter of chats: completions that cannot be used, and calls that did not run. */
import type { RejectedTextCall, RejectionReason } from '../../rejected-call';
import type { ServerTypeName } from '../../server-type-name';
import type { ErrorType } from '../error-types';
import type { InvalidCall, ResponseEnd } from '../issues';
import type { Row } from './row';
import { defineRow } from './row';
import { SERVER_TEXTS } from './server-texts';

/** Failures of a completion. */
const OF_COMPLETION: readonly ErrorType[] = [
	'invalidToolCall',
	'toolCallTruncated',
	'streamEndedEarly',
	'runawayOutput',
	'contentFiltered',
	'streamError',
	'streamBroken',
	'invalidResponse',
	'emptyResponse',
	'onlyThinking',
	'modelRefused',
];

const TOO_MANY_CALLS =
	'The model repeats itself: lower the temperature, set Maximum Tokens, or use a model with better tool support.';

const BETTER_MODEL = 'Lower the temperature, or use a model with better tool support.';

/** An error of a call, for the user. */
interface CallWords {
	/** Continues "The model called the tool "…"". */
	problem(details: string): string;
	suggestion: string;
}

const INVALID_CALLS: Readonly<Record<InvalidCall['type'], CallWords>> = {
	unknownTool: {
		problem: () => ', which is not connected',
		suggestion:
			'Name the tools in the system prompt, connect the missing tool, or use a model with better tool support.',
	},
	missingArguments: {
		problem: (details) => ` without the required arguments ${details}`,
		suggestion:
			'Some servers lose the arguments of a call: try an update, another tool call parser, or a model with better tool support.',
	},
	unknownArguments: {
		problem: (details) => ` only with arguments that it does not define: ${details}`,
		suggestion:
			'Describe the arguments in the tool or in the system prompt, or use a model with better tool support.',
	},
	ambiguousArguments: {
		problem: (details) => ` with two values for one argument: ${details}`,
		suggestion: BETTER_MODEL,
	},
	invalidArguments: {
		problem: () => ' with arguments that do not match its schema',
		suggestion:
			'Name the fields you want in the prompt, lower the temperature, or use a model with better tool support.',
	},
	brokenArguments: {
		problem: () => ' with arguments that are not valid JSON',
		suggestion: BETTER_MODEL,
	},
};

/** Continues "It was not executed, because …". */
const REASONS: Readonly<Record<RejectionReason, string>> = {
	noArguments: 'it states no arguments',
	brokenArguments: 'its arguments are not one complete JSON object',
	notOnlyACall: 'it has other fields than a call, or a schema in place of its arguments',
	tooLarge: 'its arguments have more than 5,000 values',
	ambiguous: 'it has two names, or two values for one argument',
	unreadText: 'it contains text that is not part of a call',
	noEnd: 'the mark at its end is missing',
	unknownSyntax: 'its format is unknown or incomplete',
	unknownTool: 'no such tool is connected',
	cutOff: 'the response was cut off at the token limit',
	textAfter: 'text follows it',
	otherMarkup: 'the response contains other markup of a call that could not be read',
	inCodeBlock: 'it is in code, a quotation or a list',
	tooManyCalls: 'the response contains more than 100 calls',
	longResponse: 'the response has more than 524,288 characters',
	quotation: 'the same text appears in the input',
	notCompared: 'the input is too large to rule out that it contains the same call',
	otherCalls: 'the server sent other calls separately from the text',
};

export const TURN_ROWS: readonly Row[] = [
	// A server that streams plain text, or another program
	defineRow({
		types: ['invalidResponse'],
		needs: ['plainStream'],
		tell: ({ plainStream }) => ({
			title: `The server responded with ${plainStream} instead of OpenAI API events (text/event-stream)`,
			suggestion:
				'A custom server must send each chunk as "data: {…}" with choices[0].delta.content and end with "data: [DONE]", or send the complete response as one JSON object. The details show what was received.',
		}),
	}),
	defineRow({
		types: ['invalidToolCall'],
		needs: ['tooManyCalls'],
		tell: ({ tooManyCalls }) => ({
			title: `The model called more than ${tooManyCalls} tools in one response, so none was executed`,
			suggestion: TOO_MANY_CALLS,
		}),
	}),
	defineRow({
		types: ['invalidToolCall'],
		needs: ['invalidCalls'],
		tell: ({ invalidCalls: { calls, connected } }) => {
			const sentences = [...new Set(calls.map(describeInvalidCall))];
			if (connected !== undefined) sentences.push(`Connected tools: ${connected.join(', ')}`);
			return {
				title: sentences.join('. '),
				suggestion: calls[0] && INVALID_CALLS[calls[0].type].suggestion,
			};
		},
	}),
	// A call in thinking that never ended
	defineRow({
		types: OF_COMPLETION,
		needs: ['rejectedCall', 'server', 'responseEnd'],
		tell: ({ rejectedCall, server, responseEnd }) =>
			describeRejectedCall(rejectedCall, server.type, responseEnd),
	}),
	defineRow({
		types: ['toolCallTruncated'],
		needs: ['responseEnd'],
		tell: ({ responseEnd }) => suggestRoomForThinking(responseEnd),
	}),
	defineRow({
		types: ['emptyResponse'],
		needs: ['isCutOff', 'responseEnd'],
		tell: ({ responseEnd }) =>
			`The token limit was reached before any text was generated. ${suggestRoomForThinking(responseEnd)}`,
	}),
	defineRow({
		types: ['emptyResponse'],
		needs: ['hasOnlyBegun'],
		tell: () => ({ title: 'The model stopped right after it had begun a JSON value' }),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['cutJson', 'responseEnd'],
		tell: ({ responseEnd }) => ({
			...CUT_JSON,
			suggestion: suggestRoomForThinking(responseEnd),
		}),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['cutJson'],
		tell: () => CUT_JSON,
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['wrongJson'],
		tell: ({ wrongJson }) => ({
			title: 'The response is not the requested JSON',
			detail: `The response is not the requested JSON. Issues: ${wrongJson.join('; ')}`,
			suggestion:
				'Name the fields you want in the prompt, lower the temperature, or choose a larger model or a server that enforces the schema.',
		}),
	}),
];

const CUT_JSON = {
	title: 'The JSON was cut off at the token limit',
	detail: 'The token limit was reached before the JSON was complete',
};

/** What happened, as users read it. */
export function describeInvalidCall({ type, tool, details }: InvalidCall): string {
	return `The model called the tool "${tool}"${INVALID_CALLS[type].problem(details)}`;
}

/** What looks like a call in a response, why it did not run, and what helps. */
export function describeRejectedCall(
	{ name, reason }: RejectedTextCall,
	serverType: ServerTypeName,
	end: ResponseEnd,
): string {
	const suggestion = reason === 'cutOff' ? suggestMoreTokens(end) : SERVER_TEXTS[serverType].tools;
	return `The response contains what looks like a call to ${name}. It was not executed, because ${REASONS[reason]}. ${suggestion}`;
}

/** What leaves room for a longer response. */
export function suggestMoreTokens({ maxTokens, isContextFull: isFull }: ResponseEnd): string {
	if (isFull === true)
		return 'The context was full: raise the server context, or shorten the input.';
	if (maxTokens === undefined) return 'Set Maximum Tokens, or raise the server context.';
	return isFull === false
		? `Raise Maximum Tokens (now ${maxTokens}).`
		: 'Raise Maximum Tokens or the server context.';
}

/** The same, where a model may have spent them on thinking. */
function suggestRoomForThinking(end: ResponseEnd): string {
	return `${suggestMoreTokens(end)} Thinking uses tokens, too.`;
}
