/** What a test needs of the check before it. */
import { selectOnlyModel, filterChatModels } from '../servers/model-selection';
import type { CheckResult } from './check-result';

/** Whether no finding prevents a generation. */
export function canGenerate({ status }: CheckResult): boolean {
	return status === 'healthy' || status === 'degraded';
}

/**
 * Selects the model of a test.
 *
 * @param name - Empty: the loaded model, or the only one
 * @throws a `ServerError` of type `invalidInput` if that is ambiguous
 */
export function selectTestModel({ models = [] }: CheckResult, name: string): string {
	return name.trim() || selectOnlyModel(filterChatModels(models));
}
