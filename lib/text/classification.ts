import type { MediaPart, Usage } from '../chat/types';
import type { KindName } from '../servers/kinds';
import type { Label } from './labels';

export interface ClassifyTask {
	text: string;
	labels: readonly Label[];
	/** Whether several labels may apply. */
	several: boolean;
	/** Whether it may be that no label applies. */
	mayBeNone: boolean;
	/** What kind of texts these are, and what matters; may be empty. */
	instructions: string;
	/** Pictures and sound that belong to the text. */
	media?: readonly MediaPart[];
}

export interface Classification {
	/** Indexes of the labels in the list, the likeliest first. Empty where no label fits. */
	labels: number[];
	/** Probability of each label, by its index; undefined where the server sends no probabilities. */
	scores?: number[];
	/** Probability that no label fits, where that is allowed. */
	none?: number;
	/** Confidence from 0 to 1; with several labels, that of the least certain one. */
	confidence?: number;
	/** The model's text, if it names no label. */
	unread?: string;
	usage?: Usage;
	model?: string;
	/** Left out where nothing told it. */
	server?: KindName;
}
