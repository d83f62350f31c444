/** Error types by the codes of servers. */
import type { ErrorType } from './error-types';

/** Types by the type or code inside an error, if it is clearer than any text. */
export const TYPE_BY_CODE: Readonly<Record<string, ErrorType>> = {
	exceed_context_size_error: 'promptTooLong',
	// OpenAI's own codes, which vLLM, LM Studio and LiteLLM took over
	context_length_exceeded: 'promptTooLong',
	insufficient_quota: 'keyBudgetExceeded',
	// LiteLLM
	all_deployments_in_cooldown: 'busy',
	budget_exceeded: 'keyBudgetExceeded',
};

/** Types by codes that count after the text: LM Studio sends this one if embeddings are requested from a chat model. */
export const TYPE_BY_WEAK_CODE: Readonly<Record<string, ErrorType>> = {
	model_not_found: 'modelNotFound',
	// LocalAI (core/http/middleware), Lemonade (error_types.h)
	model_loading: 'modelLoading',
	model_not_loaded: 'modelNotLoaded',
	ModelNotFoundError: 'modelNotFound',
	// Kokoro-FastAPI (routers/openai_compatible.py)
	invalid_model: 'modelNotFound',
	// Azure
	DeploymentNotFound: 'modelNotFound',
};
