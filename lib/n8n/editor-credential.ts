/** Credentials in the editor's lists, where n8n has neither the workflow nor its items. */
import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';
import { ExpressionError } from 'n8n-workflow';
import { createInputError } from '../errors/create-error';

/** What lists need of their context. */
interface EditorContext extends Pick<FunctionsBase, 'getCredentials'> {
	/** For n8n's egress filter. */
	helpers: object;
}

/**
 * The context with an error for expressions that n8n cannot resolve here: its own is about its internals ("Node '' hasn't
 * been executed").
 */
export function withEditorCredentials(context: EditorContext): EditorContext {
	return {
		helpers: context.helpers,
		async getCredentials<T extends object = ICredentialDataDecryptedObject>(type: string) {
			return await context.getCredentials<T>(type).catch((error: unknown) => {
				throw error instanceof ExpressionError ? createExpressionError(error) : error;
			});
		},
	};
}

function createExpressionError({ message }: ExpressionError) {
	const title = 'An expression in the credential needs the workflow, which lists do not have';
	return createInputError(
		title,
		'Enter the value with "By Name", "By ID" or an expression instead of the list. The execution resolves the credential.',
		{ detail: `${title} (n8n: ${message})` },
	);
}
