/** Whose a request is: the user that was entered, the chat session, the user of the item, or one for the workflow. */

/** Where a user may come from, unchecked. */
export interface UserSources {
	/** Of the field User. Undefined: it was left empty. An expression may have no result, which is a user that is missing. */
	entered: { value: unknown } | undefined;
	/** Of the item: that of a chat, which its visitor chooses. */
	sessionId: unknown;
	/** Of the item. The Dify nodes pass on the user of a workflow in it. */
	itemUser: unknown;
	/** An agent of n8n may have none. */
	workflowId: string | undefined;
}

/** The unchecked user. A session never is the user of a workflow, whose conversations another visitor would read. */
export function resolveUser({ entered, sessionId, itemUser, workflowId }: UserSources): unknown {
	const user = entered ? entered.value : (sessionId ?? itemUser ?? toWorkflowUser(workflowId));
	return user === sessionId ? toSessionUser(sessionId, workflowId) : user;
}

/** The unchecked user of a chat session: the session itself, unless it has the name of the user of a workflow. */
export function toSessionUser(sessionId: unknown, workflowId: string | undefined): unknown {
	if (typeof sessionId !== 'string') return sessionId;
	const name = simplify(sessionId);
	const isWorkflowUser = WORKFLOW_USER.test(name) || name === simplify(toWorkflowUser(workflowId));
	return isWorkflowUser ? `session-${sessionId}` : sessionId;
}

function toWorkflowUser(workflowId: string | undefined): string {
	return workflowId === undefined ? 'n8n' : `n8n-${workflowId}`;
}

/** That of any workflow, also of another one with the same app: n8n's IDs have 16 letters and digits, older ones are numbers. */
const WORKFLOW_USER = /^n8n(?:-(?:[a-z0-9]{16}|\d{1,9}))?$/;

/** A database may compare texts without case, accents, invisible characters and blanks at the end, and digits by their value. */
function simplify(user: string): string {
	const visible = user
		.normalize('NFKD')
		.replace(/[\p{M}\p{C}\p{Default_Ignorable_Code_Point}]/gu, '');
	return visible
		.replace(/\p{Nd}/gu, toAsciiDigit)
		.trim()
		.toLowerCase();
}

/** The digits of a script follow one another, from a zero on. */
function toAsciiDigit(digit: string): string {
	const code = digit.codePointAt(0)!;
	const isDigit = (value: number) => /^\p{Nd}$/u.test(String.fromCodePoint(code - value));
	const before = Array.from({ length: 10 }, (_none, at) => at).findIndex((at) => !isDigit(at));
	return String((before < 0 ? 10 : before) - 1);
}
