/** Tool calls that a server without a parser leaves in the text of a response: what readers find, and what was decided. */
import type { CallProblem } from '../../rejected-call';

/** A tool call as received, from the server or from a text. */
export interface RawToolCall {
	/** The server's ID. */
	id?: string;
	name: string;
	/** As the model wrote them. */
	arguments: string;
	/** Whether a text `null` in them may be null: the syntax has only texts. Undefined without such a text. */
	hasNullTexts?: true;
}

/** A part of a text, from its first character to the one after its last. */
export interface TextRange {
	from: number;
	to: number;
}

/**
 * The shape of a call, each with a reader of its own: JSON between marks, a name with named arguments in marks, a name with
 * pairs of keys and values, a literal such as `N(a=1)` between marks, a header before JSON, and a complete response that is
 * the JSON of calls.
 */
export type CallSyntax =
	| 'markedJson'
	| 'namedArguments'
	| 'keysAndValues'
	| 'literal'
	| 'header'
	| 'completeJson';

/** A call that a reader found. It decides nothing. */
export interface CallCandidate {
	/** The shape whose reader found it. */
	syntax: CallSyntax;
	name: string;
	/** JSON text of an object, with the digits that the model wrote; undefined if it stated none. `{}` only if it wrote so. */
	arguments: string | undefined;
	/** Whether a text `null` in the arguments may be null: the syntax has only texts. Undefined without such a text. */
	hasNullTexts?: true;
	/** The text of the call, without the marks around it. Calls of one list share it. */
	range: TextRange;
	/** Empty for a complete call. */
	problems: readonly CallProblem[];
}

/** One or several calls that share their marks. */
export interface CallBlock {
	/** At least one. Reading ends at the first one with a problem. */
	candidates: readonly CallCandidate[];
	/** Index after the block. */
	to: number;
	/** Whether the syntax allows text after its calls, if they begin the response. */
	allowsTextAfter: boolean;
	/** Whether the mark that ends it is missing, so that only the end of a complete response ends it. Default: false. */
	isOpen?: true;
}
