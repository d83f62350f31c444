/** Tells the user why a call in the text of a response did not run, and what helps. */
import type { ResponseEnd } from '../../errors/server-error';
import { suggestMoreTokens } from '../response-end';
import type { RejectedTextCall, RejectionReason } from '../../text/calls/types';
import type { ServerType } from '../../servers/types/server-type';

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

/** The hint about a call that did not run. It names the tool parser of the server in use. */
export function describeRejectedCall(
	{ name, reason }: RejectedTextCall,
	{ texts }: Pick<ServerType, 'texts'>,
	end: ResponseEnd,
): string {
	const suggestion = reason === 'cutOff' ? suggestMoreTokens(end) : texts.tools;
	return `The response contains what looks like a call to ${name}. It was not executed, because ${REASONS[reason]}. ${suggestion}`;
}
