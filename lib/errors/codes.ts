/** Error types by the codes of servers. */
import type { ErrorType } from './error-types';

/** Types by the type or code inside an error, which is clearer than any text. */
export const TYPE_BY_CODE: Readonly<Record<string, ErrorType>> = {
	// OpenAI's own
	insufficient_quota: 'keyBudgetExceeded',
	// LiteLLM: the key is right, and the model is not for it.
	key_model_access_denied: 'forbidden',
	team_model_access_denied: 'forbidden',
	user_model_access_denied: 'forbidden',
	// LiteLLM without a database knows its master key only, and answers any other one with 400 (1.110.2).
	no_db_connection: 'unauthorized',
	all_deployments_in_cooldown: 'busy',
	budget_exceeded: 'keyBudgetExceeded',
	model_not_found: 'modelNotFound',
	// What the model wrote is no call of a tool.
	tool_use_failed: 'outputParseFailed',
};
