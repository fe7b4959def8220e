/** The stages of `make check` beyond models and bisimulation. One line each; a stage that is absent is absent from the table. */
import { evidenceStage } from '../evidence/evidence-stage.ts';
import { mirrorStage } from '../mirror/mirror-stage.ts';
import { mutantsStage } from '../mutants/mutants-stage.ts';
import { randomStage } from '../random/random-stage.ts';
import { validationStage } from '../validate/validation-stage.ts';
import type { Stages } from './check-component.ts';

export const stages: Stages = {
  mirror: mirrorStage,
  mutants: mutantsStage,
  evidence: evidenceStage,
  random: randomStage,
  validation: validationStage,
};
