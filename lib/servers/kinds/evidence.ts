/** What single answers say of who gave them. */
import { isRecord, nonEmptyText } from '../../values';
import { modelEntries } from '../models';
import type { ServerAnswer, ServerAnswers, IdentifyingRoute } from './kind';

/** The JSON object of an answer below 300; empty where there is none. */
export function bodyOf(answer: ServerAnswer | undefined): Record<string, unknown> {
	return answer !== undefined && answer.status < 300 && isRecord(answer.json) ? answer.json : {};
}

/** Whether the JSON object of an answer, of whatever status, fits. */
export function says(answer: ServerAnswer | undefined, fits: (body: Record<string, unknown>) => boolean): boolean {
	return isRecord(answer?.json) && fits(answer.json);
}

/** Whether any answer carries a header whose value fits. */
export function anyHeader(answers: ServerAnswers, name: string, fits: RegExp): boolean {
	return Object.values(answers).some(({ headers }) => fits.test(headers[name] ?? ''));
}

/** Whether any entry of the list of models fits. */
export function anyModel(answers: ServerAnswers, fits: (entry: Record<string, unknown>) => boolean): boolean {
	return (entriesOf(answers) ?? []).some(fits);
}

export function ownsModels(answers: ServerAnswers, owner: string): boolean {
	return anyModel(answers, ({ owned_by: by }) => by === owner);
}

/** The list of models; undefined where the answer is none. */
export function entriesOf({ models }: ServerAnswers): Array<Record<string, unknown>> | undefined {
	return models !== undefined && models.status < 300 ? modelEntries(models.json) : undefined;
}

/** A text that is not empty, out of an answer below 300. */
export function textIn(answers: ServerAnswers, route: IdentifyingRoute, field: string): string | undefined {
	return nonEmptyText(bodyOf(answers[route])[field]);
}
