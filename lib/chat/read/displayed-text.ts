/** What users see of the output of a turn. */
import type { Stage } from '../../stage';
import type { TextAndReasoning } from '../../text/reasoning';
import type { FrameState, RepetitionState } from './text-stages';
import { frameThinking, omitRepetition } from './text-stages';

/** The displayed text of a turn: the text of all attempts, each once, optionally with the thinking before it. */
export class DisplayedText {
	/** Everything shown so far. */
	text = '';
	/** Text of the current attempt, without thinking. */
	private attemptText = '';
	/** Texts of earlier attempts. */
	private readonly shownTexts: string[] = [];
	private repetition = omitRepetition([]);
	private repetitionState: RepetitionState = this.repetition.start;
	private readonly frame: Stage<TextAndReasoning, string, FrameState>;
	private frameState: FrameState;

	constructor(
		showsThinking: boolean,
		private readonly onDelta: (delta: string) => void,
	) {
		this.frame = frameThinking(showsThinking);
		this.frameState = this.frame.start;
	}

	push(output: TextAndReasoning): void {
		this.attemptText += output.text;
		const [released, state] = this.repetition.step(this.repetitionState, output);
		this.repetitionState = state;
		this.add(released);
	}

	/** Ends the output of an attempt; that of the next one, a retry or a correction, begins a paragraph. */
	startNextAttempt(): void {
		this.endAttempt();
		if (this.attemptText) this.shownTexts.push(this.attemptText);
		this.attemptText = '';
		this.repetition = omitRepetition([...this.shownTexts]);
		this.repetitionState = this.repetition.start;
		this.frameState = { ...this.frame.start, beginsParagraph: this.text !== '' };
	}

	/** Shows text that only begins like an earlier attempt, and ends thinking without text after it. */
	endAttempt(): void {
		this.add(this.repetition.end(this.repetitionState));
		this.show(this.frame.end(this.frameState));
	}

	private add(output: TextAndReasoning) {
		const [shown, state] = this.frame.step(this.frameState, output);
		this.frameState = state;
		this.show(shown);
	}

	private show(delta: string) {
		if (delta === '') return;
		this.text += delta;
		this.onDelta(delta);
	}
}
