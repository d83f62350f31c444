/** What looks like a tool call in the text of a response, and does not run. */

/** What a reader found in a call that no rule of its syntax accounts for. */
export type CallProblem =
	/** No arguments, or none that can be told apart from those of a definition. */
	| 'noArguments'
	/** The arguments are not one complete object. */
	| 'brokenArguments'
	/** JSON with other keys than those of a call, or a schema in place of the arguments. */
	| 'notOnlyACall'
	/** More values than the arguments of a tool have. */
	| 'tooLarge'
	/** Two names, or two values for one argument. */
	| 'ambiguous'
	/** Text within the block that belongs to nothing. */
	| 'unreadText'
	/** The mark that ends the block is missing. */
	| 'noEnd';

/** Why no call of a text runs. */
export type RejectionReason =
	| CallProblem
	/** The syntax is unknown. */
	| 'unknownSyntax'
	| 'unknownTool'
	/** The token limit ended the response. */
	| 'cutOff'
	| 'textAfter'
	/** Other markup of a call in the same response could not be read. */
	| 'otherMarkup'
	/** The call is in a quotation or a list, or in code of a response that says more. */
	| 'inCodeBlock'
	| 'tooManyCalls'
	/** The response is too long to be read. */
	| 'longResponse'
	/** A text of a user, a tool or a file contains the same call. */
	| 'quotation'
	/** The request is too large to find out whether it contains the same call. */
	| 'notCompared'
	/** The server sent other calls separately from the text. */
	| 'otherCalls';

/** A call in text that does not run, as the reason why none of its response runs. */
export interface RejectedTextCall {
	/** Name of the tool, as the model wrote it. */
	name: string;
	reason: RejectionReason;
}
