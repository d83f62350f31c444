import { knownText, type RunState } from '../../events';
import type { Observation } from '../observation';

/** A snapshot repeats what is known: only new progress shows that the run goes on. */
export function noteProgress(state: Observation): void {
	const mark = progressOf(state.run);
	if (mark !== state.progress.mark) state.progress = { mark, at: state.now };
}

/** A text that changes whenever the run makes progress. */
export function progressOf(run: RunState): string {
	const { forms, workflow } = run;
	const nodes =
		workflow?.nodes.map(({ id, status, passes }) => `${id} ${status} ${passes ?? ''}`) ?? [];
	return [knownText(run).length, forms.length, workflow?.status, ...nodes].join('|');
}
