import type { DecisionAbilities } from '../task-abilities';
import type { Addressing } from './routes';

/** `/v1/systemone`, which every newer server has: one without a decision model refuses with 501. */
export function decisionsOf({ rootOf }: Addressing): DecisionAbilities {
	return { url: ({ url }, model) => `${rootOf(url.root, model)}/v1/systemone` };
}
